import {execFile} from 'node:child_process';
import {existsSync, globSync} from 'node:fs';
import {rm} from 'node:fs/promises';
import {dirname, join} from 'node:path';

/** libfaketime: the plain one for PostgreSQL, whose signal handlers ask for the time; the one with locks for a program with threads. */
export type Faketime = {readonly plain: string; readonly threads: string};

/** Where distributions put it; `*` is the name of the architecture. */
const PLACES = ['/usr/lib/*/faketime', '/usr/lib64/faketime', '/usr/lib/faketime'];
const TRY_MS = 5000;
const TRY_SKEW_MS = 3_600_000;

/** The libfaketime that works here; otherwise one sentence why there is none. `places` are folders, with wildcards. */
export async function findFaketime(places: readonly string[] = PLACES, platform: string = process.platform): Promise<Faketime | string> {
  if (platform !== 'linux') return 'skew needs Linux: it preloads libfaketime';
  const found = places
    .flatMap((place) => globSync(join(place, 'libfaketime.so.1')))
    .map((plain) => ({
      plain,
      threads: join(dirname(plain), 'libfaketimeMT.so.1'),
    }));
  for (const faketime of found) if (existsSync(faketime.threads) && (await works(faketime))) return faketime;
  if (found[0] !== undefined) return `skew needs libfaketime, and ${found[0].plain} does not work here`;
  return "skew needs libfaketime (Debian's package faketime), which is not installed";
}

/** The environment in which a program sees a clock that is `ms` ahead, or behind when it is negative. Delays and deadlines are left alone. */
export function skewedEnv(library: string, ms: number): Readonly<Record<string, string>> {
  const seconds = (Math.abs(ms) / 1000).toFixed(3);
  return {LD_PRELOAD: library, FAKETIME: `${ms < 0 ? '-' : '+'}${seconds}`, FAKETIME_DONT_FAKE_MONOTONIC: '1'};
}

/** libfaketime makes shared memory for a program's children and leaves it when that is killed. Children that are forked do not need the names. */
export async function removeFaketimeMemory(pid: number): Promise<void> {
  for (const name of [`faketime_shm_${pid}`, `sem.faketime_sem_${pid}`]) await rm(join('/dev/shm', name), {force: true});
}

/** A library of another architecture is ignored without a word that could be relied on: only the time tells. */
function works({threads}: Faketime): Promise<boolean> {
  return new Promise((resolve) => {
    const env = {PATH: '/usr/bin:/bin', ...skewedEnv(threads, -TRY_SKEW_MS)};
    execFile(process.execPath, ['-p', 'Date.now()'], {env, timeout: TRY_MS}, (error, stdout) => {
      resolve(error === null && Math.abs(Date.now() - TRY_SKEW_MS - Number(stdout)) < TRY_MS);
    });
  });
}
