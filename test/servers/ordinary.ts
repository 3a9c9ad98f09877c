/** A program as an ordinary user, and never longer than the process that starts it: what to spawn, and with which arguments. */
export function ordinary(program: string, args: readonly string[]): [string, string[]] {
  const bound = ['setpriv', '--pdeathsig', 'KILL', program, ...args];
  if (process.getuid?.() !== 0) return ['setpriv', bound.slice(1)];
  return ['unshare', ['--user', '--map-user=1000', '--map-group=1000', ...bound]];
}
