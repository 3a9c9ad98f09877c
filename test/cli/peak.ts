import {spawn} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {BIN} from './program.ts';

/** How the built program ended, what it printed, and the most memory that was seen of it at once, in MB. `code` null = it was killed. */
export type Peaked = {readonly code: number | null; readonly stdout: string; readonly stderr: string; readonly peakMb: number};

/** Runs the built program to its end and looks at its memory meanwhile. */
export async function peakOf(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Peaked> {
  const child = spawn(BIN, args, {env: {...process.env, ...env}});
  const printed = {stdout: '', stderr: '', peakMb: 0};
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => (printed[stream] += text));
  const looking = setInterval(() => {
    const peak = /VmHWM:\s+(\d+) kB/.exec(statusOf(child.pid))?.[1];
    if (peak !== undefined) printed.peakMb = Number(peak) / 1000;
  }, 50);
  const code = await new Promise<number | null>((done) => child.on('close', done));
  clearInterval(looking);
  return {code, ...printed};
}

function statusOf(pid: number | undefined): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}
