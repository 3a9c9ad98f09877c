import {spawn} from 'node:child_process';
import {closeSync, existsSync, openSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {bounded} from '../awake.ts';
import {unavailable} from '../errors.ts';
import {commandOf, processTable} from '../processes.ts';
import {stateTrouble} from '../state/trouble.ts';

/** What a reaper tells whoever started it, once. */
export type ReaperWord = {readonly armed: true} | {readonly failed: string};

const ARM_MS = 20_000;
/** Where reapers of a state folder say what they do. */
export const REAPER_LOG = 'reaper.log';

/**
 * Starts the reaper of a ledger's entry: a process with a session of its own, that outlives this one and its terminal. Its arguments name the entry and
 * nothing else; it finds the secrets by itself. Resolves when it is armed. Throws `reaper-failed` (69) when it cannot be, and none is left then.
 */
export async function startReaper(entryFile: string, signal: AbortSignal): Promise<void> {
  const log = openLog(join(dirname(entryFile), REAPER_LOG));
  const child = spawn(process.execPath, [reaperProgram(), entryFile], {cwd: '/', detached: true, stdio: ['ignore', log, log, 'ipc']});
  closeSync(log);
  const end = bounded(signal, ARM_MS);
  const {promise, resolve, reject} = Promise.withResolvers<void>();
  const failed = (why: string): void =>
    reject(unavailable('reaper-failed', `no fault was injected: its reaper could not be started: ${why}`));
  child.once('message', (word: ReaperWord) => ('armed' in word ? resolve() : failed(word.failed)));
  child.once('error', (error) => failed(error.message));
  child.once('exit', (code, name) =>
    failed(`it ended with ${name ?? `exit code ${code}`}; ${join(dirname(entryFile), REAPER_LOG)} says why`),
  );
  end.signal.addEventListener('abort', () => (signal.aborted ? reject(signal.reason) : failed(`it was not ready after ${ARM_MS} ms`)));
  try {
    await promise;
    child.disconnect();
    child.unref();
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    end.end();
  }
}

/** The reapers that run for the faults of a folder, each with the entry that it was started for. */
export function runningReapers(dir: string): readonly {readonly pid: number; readonly start: string; readonly file: string}[] {
  return [...processTable().values()].flatMap(({pid, state, start}) => {
    const [, program = '', file = ''] = state === 'Z' ? [] : (commandOf(pid) ?? []);
    return dirname(file) === dir && PROGRAMS.some((name) => program.endsWith(name)) ? [{pid, start, file}] : [];
  });
}

const PROGRAMS = ['/drill/reaper.js', '/kit/reaper-main.ts'] as const;

/** Beside the sources it is one of them; in the built package it has a place of its own. */
function reaperProgram(): string {
  const name = PROGRAMS[import.meta.url.endsWith('.ts') ? 1 : 0];
  const places = ['.', '..', '../..', '../../..'].map((up) => fileURLToPath(new URL(`${up}${name}`, import.meta.url)));
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw unavailable('reaper-failed', 'no fault was injected: this package has no program for the reaper');
  return found;
}

function openLog(file: string): number {
  try {
    return openSync(file, 'a', 0o600);
  } catch (error) {
    throw stateTrouble(file, error);
  }
}
