import {mkdir, readdir, readFile, rename, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {z} from 'zod';
import {stateError} from '../errors.ts';
import type {Json} from '../plan/json.ts';

const record = z.strictObject({
  store: z.string(),
  fleet: z.string().optional(),
  members: z.array(z.string()),
  cleaned: z.boolean(),
  lost: z.boolean(),
  row: z.record(z.string(), z.json()).nullable(),
});

/**
 * What is on record of one store in one run. `fleet`: the name of the fleet whose run it is; absent = an earlier version wrote it. No `members`: its place was to be made, and nothing was written to it yet. `row`: what was measured. `cleaned`: nothing of it is in the store any more. `lost`: rows were removed
 * before they were read, so nobody can say what the store had lost.
 */
export type StoreRecord = {
  readonly store: string;
  readonly fleet?: string | undefined;
  readonly members: readonly string[];
  readonly cleaned: boolean;
  readonly lost: boolean;
  readonly row: Record<string, Json> | null;
};

const END = '.store-witness.json';

/** The log of the witness of a store in a run. */
export const logOf = (dir: string, run: string, store: string): string => join(dir, `${run}.${store}.store-witness.ndjson`);

/** The records of a run. Throws `witness-log` (exit 73) when one cannot be read. */
export async function recordsOf(dir: string, run: string): Promise<readonly StoreRecord[]> {
  const names = (await namesIn(dir)).filter((name) => name.startsWith(`${run}.`));
  return Promise.all(names.map((name) => readRecord(join(dir, name))));
}

/** The records of all runs that wrote to a store of this name, whichever fleet has it. */
export async function recordsOfStore(dir: string, store: string): Promise<readonly Left[]> {
  const end = `.${store}${END}`;
  const names = (await namesIn(dir)).filter((name) => name.endsWith(end));
  return Promise.all(names.map(async (name) => ({run: name.slice(0, -end.length), kept: await readRecord(join(dir, name))})));
}

/** Every record of a folder that has something left to clean, and the files that cannot be read. */
export async function leftRecords(dir: string): Promise<{readonly left: readonly Left[]; readonly broken: readonly string[]}> {
  const read = await Promise.all(
    (await namesIn(dir)).map(async (name) => {
      const kept = await readRecord(join(dir, name)).catch(() => null);
      const end = `.${kept?.store}${END}`;
      return kept === null || !name.endsWith(end) ? join(dir, name) : {run: name.slice(0, -end.length), kept};
    }),
  );
  return {
    left: read.filter((each) => typeof each !== 'string').filter(({kept}) => !kept.cleaned),
    broken: read.filter((each) => typeof each === 'string'),
  };
}

/** What a run has left in a store. */
export type Left = {readonly run: string; readonly kept: StoreRecord};

/** A fleet beside others that share its state folder. `hasRun`: whether a run is one of its own, or nobody's; asked of what earlier versions wrote. */
export type RecordFleet = {readonly name: string; hasRun(run: string): Promise<boolean>};

/** Those of one fleet: a store of another may have the same name, and is another one. */
export async function ofFleet({name, hasRun}: RecordFleet, all: readonly Left[]): Promise<readonly Left[]> {
  const ours = await Promise.all(all.map(({run, kept: {fleet}}) => (fleet === undefined ? hasRun(run) : fleet === name)));
  return all.filter((_, index) => ours[index]);
}

/** Takes the record of a store away that nothing was written to. */
export async function dropRecord(dir: string, run: string, store: string): Promise<void> {
  const file = join(dir, `${run}.${store}${END}`);
  await rm(file, {force: true}).catch((error: unknown) => {
    throw stateError('witness-log', `The record of the witness ${file} cannot be removed.`, {cause: error});
  });
}

/** Writes it whole or not at all. */
export async function writeRecord(dir: string, run: string, kept: StoreRecord): Promise<void> {
  const file = join(dir, `${run}.${kept.store}${END}`);
  try {
    await mkdir(dir, {recursive: true});
    await writeFile(`${file}.new`, JSON.stringify(kept));
    await rename(`${file}.new`, file);
  } catch (error) {
    throw stateError('witness-log', `The witness cannot write its record ${file}.`, {cause: error});
  }
}

async function namesIn(dir: string): Promise<readonly string[]> {
  const names = await readdir(dir).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw stateError('witness-log', `The folder of the witness ${dir} cannot be read.`, {cause: error});
  });
  return names.filter((name) => name.endsWith(END)).toSorted();
}

async function readRecord(file: string): Promise<StoreRecord> {
  try {
    return record.parse(JSON.parse(await readFile(file, 'utf8'))) as StoreRecord;
  } catch (error) {
    throw stateError('witness-log', `The record of the witness ${file} cannot be read.`, {cause: error});
  }
}
