import {execFile} from 'node:child_process';
import {constants, readFileSync} from 'node:fs';
import {access, appendFile, readFile, truncate} from 'node:fs/promises';
import {delimiter, join} from 'node:path';
import {messageOf, unavailable} from '../lib/errors.ts';
import type {RunAs} from './postgres-binaries.ts';

/**
 * How long a file may be on a full disk, in bytes: one page of PostgreSQL. WAL beyond the first page of a segment cannot be written, no page is
 * torn, pg_control and the lock file still fit, and the log has room to say why the server went down.
 */
const FULL_BYTES = 8192;
const SET_MS = 5000;
const ATTEMPTS = 3;

/** Why files cannot be limited here; null = they can. `path` as in PATH. */
export async function whyNoWriteLimit(path = process.env.PATH ?? '', platform: string = process.platform): Promise<string | null> {
  if (platform !== 'linux') return 'disk-full needs Linux: it limits the length of files with prlimit';
  for (const dir of path.split(delimiter)) {
    const found = await access(join(dir, 'prlimit'), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return null;
  }
  return 'disk-full needs the program prlimit (of util-linux), which is not on the PATH of the lab';
}

/** What a command is started with, so that neither it nor its children can write. The hard limit stays, so that it can be lifted. */
export const FULL_WRAPPER: readonly string[] = ['prlimit', `--fsize=${FULL_BYTES}:`];

/**
 * Sets the limit of every process, or lifts it, until all have what is wanted now: one may be forked meanwhile, or the wish may change. `pids`:
 * parents first. Throws RegionctlError `limit-failed`.
 */
export async function settleWriteLimit(pids: () => readonly number[], full: () => boolean, runAs: RunAs): Promise<void> {
  const problems: string[] = [];
  for (const end = performance.now() + SET_MS; performance.now() < end && problems.length < ATTEMPTS; ) {
    const wanted = full() ? String(FULL_BYTES) : softLimitOf('self');
    const first = pids().find((pid) => ![wanted, null].includes(softLimitOf(pid)));
    if (first === undefined) return;
    const problem = await setLimit(first, wanted ?? 'unlimited', runAs);
    if (problem !== null) problems.push(problem);
  }
  throw unavailable('limit-failed', `the length of files could not be limited: ${problems.at(-1) ?? 'new processes came all the time'}`);
}

/** Makes room in a log that the limit would cut off: what it holds is moved to `<file>.1`. */
export async function makeRoomInLog(file: string): Promise<void> {
  const text = await readFile(file).catch(() => Buffer.alloc(0));
  if (text.length === 0) return;
  await appendFile(`${file}.1`, text, {mode: 0o600});
  await truncate(file);
}

/** Null = it is set, or the process is gone. As the user of the process: root of a container may be forbidden to change another's limits. */
function setLimit(pid: number, soft: string, runAs: RunAs): Promise<string | null> {
  const ids = runAs.kind === 'uid' ? {uid: runAs.uid, gid: runAs.gid} : {};
  return new Promise((resolve) => {
    execFile('prlimit', ['--pid', String(pid), `--fsize=${soft}:`], {timeout: SET_MS, ...ids}, (error) => {
      resolve(error === null || softLimitOf(pid) === null ? null : messageOf(error));
    });
  });
}

/** The soft limit as the kernel prints it, `unlimited` or bytes; null = there is no such process. */
function softLimitOf(pid: number | 'self'): string | null {
  try {
    return /^Max file size\s+(\S+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1] ?? null;
  } catch {
    return null;
  }
}
