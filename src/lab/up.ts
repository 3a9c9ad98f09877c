import {spawn} from 'node:child_process';
import {closeSync, openSync} from 'node:fs';
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {messageOf, refused, unavailable, usageError} from '../lib/errors.ts';
import {isRunning, waitUntil} from '../lib/processes.ts';
import {stopLab} from './down.ts';
import {type LabEntries, labEntry} from './entries.ts';
import type {LabOptions} from './lab-context.ts';
import {makeLabDir} from './lab-place.ts';
import type {LabStatus} from './lab-status.ts';
import {tailOf} from './postgres-server.ts';
import {type LabMode, type LabProfile, readRecord} from './record.ts';
import {REGION_COUNT} from './regions.ts';
import {labStatus} from './status.ts';

/** What `lab up` wants. `dir` is absolute, `root` the package's folder; `entries` runs other programs than the built ones. */
export type UpOptions = {
  readonly dir: string;
  readonly regions: number;
  readonly profile: LabProfile;
  readonly mode: LabMode;
  readonly postgresBin: string | null;
  readonly root: string;
  readonly entries?: LabEntries;
  readonly schemaFile: string | null;
  readonly signal: AbortSignal;
};

/** Makes and starts a lab and answers when it serves. When that fails, nothing of it is left, and the error says why. */
export async function startLab(options: UpOptions): Promise<LabStatus> {
  const {dir, regions} = options;
  if (!Number.isInteger(regions) || regions < REGION_COUNT.min || regions > REGION_COUNT.max) {
    throw usageError(`--regions must be ${REGION_COUNT.min} to ${REGION_COUNT.max}, not ${regions}`);
  }
  refuseSecond(dir);
  await makeLabDir(dir).catch((error: unknown) => {
    throw refused('lab-dir', `cannot make a lab: ${messageOf(error)}`, {suggestions: ['give another folder with --dir']});
  });
  const failure = await runSupervisor(options);
  if (failure === null) return labStatus(dir);
  await stopLab(dir);
  options.signal.throwIfAborted();
  throw unavailable('lab-failed', `the lab did not start: ${failure}`);
}

function refuseSecond(dir: string): void {
  const record = readRecord(dir);
  if (record === null) return;
  const state = isRunning(record.supervisor) ? 'a lab runs already' : 'a lab was left behind';
  throw refused('lab-exists', `${state} in ${dir}`, {suggestions: [`regionctl lab down --dir ${dir}`]});
}

/** Starts the process that owns the lab and waits for its one answer. null = it is ready. */
async function runSupervisor(options: UpOptions): Promise<string | null> {
  const logs = join(options.dir, 'logs');
  await mkdir(logs, {mode: 0o700});
  const log = join(logs, 'supervisor.log');
  const output = openSync(log, 'a', 0o600);
  const child = spawn(process.execPath, [labEntry(options.root, 'supervisor', options.entries)], {
    cwd: '/',
    // Nothing else of the caller's environment: it may hold secrets.
    env: {PATH: process.env.PATH ?? '/usr/bin:/bin', TZ: 'UTC'},
    detached: true,
    stdio: ['ignore', output, output, 'ipc'],
  });
  closeSync(output);
  const interrupt = () => child.kill('SIGTERM');
  options.signal.addEventListener('abort', interrupt, {once: true});
  try {
    return await new Promise<string | null>((resolve) => {
      child.once('message', (answer: {ready?: boolean; failed?: string}) =>
        resolve(answer.ready === true ? null : (answer.failed ?? 'it failed')),
      );
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(`its supervisor ended with ${signal ?? code}\n${tailOf(log)}`));
      child.send(toLabOptions(options), () => undefined);
      if (options.signal.aborted) interrupt();
    }).then(async (failure) => {
      if (failure !== null) await waitUntil(() => child.exitCode !== null || child.signalCode !== null, 15_000);
      return failure;
    });
  } finally {
    options.signal.removeEventListener('abort', interrupt);
    if (child.connected) child.disconnect();
    child.unref();
  }
}

function toLabOptions(options: UpOptions): LabOptions {
  const {dir, regions, profile, mode, postgresBin, schemaFile} = options;
  return {dir, regions, profile, mode, postgresBin, schemaFile, serviceEntry: labEntry(options.root, 'service', options.entries)};
}
