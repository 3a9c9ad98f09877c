import {spawnSync} from 'node:child_process';
import {performance} from 'node:perf_hooks';

/** Times in ms of one command, run to its end. Throws when it exits with a code that was not expected. */
export function timeCommand(
  command: string,
  args: readonly string[],
  options: {env?: NodeJS.ProcessEnv; mayExit?: readonly number[]} = {},
): number {
  const started = performance.now();
  const {status, stderr} = spawnSync(command, args, {
    env: options.env ?? process.env,
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  const elapsed = performance.now() - started;
  if (!(options.mayExit ?? [0]).includes(status ?? -1)) throw new Error(`${command} ${args.join(' ')} exited with ${status}: ${stderr}`);
  return elapsed;
}

/** Runs several commands in turn, so that whatever else the machine does falls on all of them; the median of each. */
export function medians<K extends string>(runs: number, commands: Readonly<Record<K, () => number>>): Record<K, number> {
  const names = Object.keys(commands) as K[];
  for (const name of names) commands[name](); // warm caches
  const samples = new Map<K, number[]>(names.map((name) => [name, []]));
  for (let run = 0; run < runs; run++) for (const name of names) samples.get(name)?.push(commands[name]());
  return Object.fromEntries(names.map((name) => [name, median(samples.get(name) ?? [])])) as Record<K, number>;
}

/** The middle value; the lower one of two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

/** A figure for the results file, rounded to a tenth. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
