import {readFileSync} from 'node:fs';
import {resolve} from 'node:path';
import {refused, unavailable} from '../../errors.ts';
import {isRunning, markOf, type ProcessMark, type ProcessRow, processRow, processTable, treeOf} from '../../processes.ts';
import type {SignalRegion} from './provider.ts';

/** The processes of a region now: everything below those of its pid files, parents first. `files` are the pid files whose processes run. */
export type Targets = {readonly marks: readonly ProcessMark[]; readonly files: readonly string[]};

/** Finds them. A pid file that is not there, or names no process that runs, has none. Throws `pid-file` (69) for one that cannot be read. */
export function targetsOf({pidFiles}: SignalRegion, baseDir: string, table = processTable()): Targets {
  const roots = pidFiles.map((file) => ({file, mark: rootOf(resolve(baseDir, file), table)}));
  const marks = treeOf(
    roots.map(({mark}) => mark),
    table,
  ).flatMap((pid) => markOf(pid, table) ?? []);
  return {marks, files: roots.flatMap(({file, mark}) => (mark === null ? [] : [file]))};
}

/** Refuses targets that must not be signalled: `init`, this process, and whatever this process runs under (77). */
export function refuseOwn({marks}: Targets, region: string): void {
  const own = marks.find(({pid}) => pid <= 1 || pid === process.pid);
  if (own === undefined) return;
  throw refused('own-process', `no process of ${region} was signalled: regionctl itself runs below one of its pid files (pid ${own.pid})`);
}

/** Signals those that are still the processes that were seen, in this order. Answers how many. Throws `not-permitted` (69) for another user's. */
export function signalMarks(marks: readonly ProcessMark[], signal: NodeJS.Signals): number {
  return marks.filter((mark) => signalMark(mark, signal)).length;
}

function signalMark({pid, start}: ProcessMark, signal: NodeJS.Signals): boolean {
  // Right before the signal: a pid may have been given to another process since.
  const row = pid <= 1 || pid === process.pid ? null : processRow(pid);
  if (row === null || row.start !== start || row.state === 'Z') return false;
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return false;
    throw unavailable('not-permitted', `the process ${pid} cannot be signalled: ${code}`, {
      suggestions: ['Run regionctl as the user of that process.'],
    });
  }
}

/** Those of the marked processes that are stopped now. */
export function stoppedOf(marks: readonly ProcessMark[], table: ReadonlyMap<number, ProcessRow>): readonly ProcessMark[] {
  return marks.filter((mark) => isRunning(mark, table) && /^[Tt]$/u.test(table.get(mark.pid)?.state ?? ''));
}

/** The first line of a pid file, such as postmaster.pid; the other lines are its owner's. */
function rootOf(file: string, table: ReadonlyMap<number, ProcessRow>): ProcessMark | null {
  const pid = Number(/^\s*(\d{1,10})\s*$/u.exec(firstLine(file))?.[1] ?? 0);
  const mark = pid > 1 ? markOf(pid, table) : null;
  return isRunning(mark, table) ? mark : null;
}

function firstLine(file: string): string {
  try {
    return readFileSync(file, 'utf8').split('\n', 1)[0] ?? '';
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return '';
    throw unavailable('pid-file', `the pid file ${file} cannot be read: ${code}`);
  }
}
