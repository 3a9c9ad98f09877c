/** Bit of a request channel's flags: everything that the client sent was passed on, and the way to the server is shut. Until HAProxy 2.7. */
const SHUT_TO_SERVER = 0x2000;

/**
 * How many of the open sessions of `servers` can send nothing more: their client has closed its half. HAProxy does not end those on "shutdown
 * sessions"; they stay until the server closes, or `timeout client-fin`. null = the version's flags are not known.
 */
export function countHalfClosed(info: string, sessions: string, servers: readonly string[]): number | null {
  if (!/^Version: 2\.[0-7]\b/m.test(info)) return null;
  const wanted = new Set(servers);
  return sessions.split('\n').filter((line) => {
    const [, backend, server, flags] = / be=(\S+) srv=(\S+) .*?\brq\[f=([0-9a-f]+)h/.exec(line) ?? [];
    return wanted.has(`${backend}/${server}`) && (Number.parseInt(flags ?? '0', 16) & SHUT_TO_SERVER) !== 0;
  }).length;
}
