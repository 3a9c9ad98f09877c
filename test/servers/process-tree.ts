import type {ChildProcess} from 'node:child_process';
import {readdirSync, readFileSync} from 'node:fs';

/** Every process below the given ones, they themselves first: a server's children have process groups of their own. */
export function treeOf(roots: readonly number[]): readonly number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const parent = statOf(Number(entry))?.parent;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const walk = (pid: number): number[] => [pid, ...(children.get(pid) ?? []).flatMap(walk)];
  return roots.flatMap(walk);
}

/** Whether a process that was started here has not ended yet. */
export function isUp(child: ChildProcess | null): boolean {
  return child !== null && child.exitCode === null && child.signalCode === null;
}

/** It and everything below it; none when it has ended. */
export function pidsOf(child: ChildProcess | null): readonly number[] {
  return isUp(child) && child?.pid !== undefined ? treeOf([child.pid]) : [];
}

/** Whether a process still holds anything: a zombie has let go of everything. */
export function isAlive(pid: number): boolean {
  const stat = statOf(pid);
  return stat !== null && stat.state !== 'Z';
}

/** A process may end between the listing and the signal. */
export function signalAll(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
}

/**
 * Stops every process that `list` names, and comes back when none of them runs any more. A signal only asks: a process with threads, on a busy machine, can
 * answer a request after it was told to stop; and a server that is being stopped may have made a child since it was listed.
 */
export function freezeAll(list: () => readonly number[]): void {
  const end = performance.now() + 10_000;
  const told = new Set<number>();
  // Twice nobody: a child may have been made between the list and the look.
  for (let quiet = 0; quiet < 2; ) {
    const moving = list().filter((pid) => moves(pid, told.has(pid)));
    quiet = moving.length === 0 ? quiet + 1 : 0;
    if (moving.length > 0 && performance.now() > end) throw new Error(`${moving.join(', ')} did not stop within ten seconds`);
    signalAll(moving, 'SIGSTOP');
    for (const pid of moving) told.add(pid);
    if (moving.length > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
}

/** Whether any of its threads may still run. One that waits in the kernel, for a disk or for a child to begin, stops before it comes back from there. */
function moves(pid: number, isTold: boolean): boolean {
  const still = isTold ? 'TtZXD' : 'TtZX';
  try {
    return readdirSync(`/proc/${pid}/task`).some((thread) => !still.includes(statOf(pid, thread)?.state ?? 'X'));
  } catch {
    return false;
  }
}

/** The name of a process stands in brackets and may hold anything; what follows the last bracket is plain. */
function statOf(pid: number, thread?: string): {state: string; parent: number} | null {
  try {
    const stat = readFileSync(thread === undefined ? `/proc/${pid}/stat` : `/proc/${pid}/task/${thread}/stat`, 'utf8');
    const [state = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return {state, parent: Number(parent)};
  } catch {
    return null;
  }
}
