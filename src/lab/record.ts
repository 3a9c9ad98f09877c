import {createHash} from 'node:crypto';
import {existsSync, readFileSync, renameSync, statSync, writeFileSync} from 'node:fs';
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {refused} from '../lib/errors.ts';
import type {ProcessMark} from '../lib/processes.ts';

/** `fast`: no fsync, data in memory where there is room. `stock`: PostgreSQL's defaults on disk. */
export type LabProfile = 'fast' | 'stock';
/** `quorum`: a commit waits for one other region. `async`: it waits for none. `active-active`: every region takes writes, and no commit waits. */
export type LabMode = 'quorum' | 'async' | 'active-active';

/** What the lab knows of one region. Ports are on 127.0.0.1; `ingress` and `links` can be cut by a fault, `direct` never is. */
export type RegionRecord = {
  readonly name: string;
  readonly jurisdiction: string;
  /** Folder of the region's own files; the database's data is in `data` below it. */
  readonly home: string;
  readonly data: string;
  readonly ingress: {readonly http: number; readonly postgres: number; readonly agent: number};
  readonly direct: {readonly http: number; readonly postgres: number; readonly agent: number};
  /** Per other region the port by which this region reaches that one's database. */
  readonly links: Readonly<Record<string, number>>;
  readonly service: ProcessMark | null;
  readonly postmaster: ProcessMark | null;
};

/** D/lab.json: all that is needed to find and end the lab when its supervisor is gone. Holds no secret. */
export type LabRecord = {
  readonly version: 1;
  readonly dir: string;
  readonly profile: LabProfile;
  readonly mode: LabMode;
  readonly postgres: string;
  readonly startedAt: string;
  readonly supervisor: ProcessMark;
  readonly control: number | null;
  readonly frontDoor: number | null;
  /** Where the regions' homes are: below `dir`, or in memory. Made by the lab, removed by the lab. */
  readonly dataRoot: string;
  readonly regions: readonly RegionRecord[];
};

/** Name of the file in `dataRoot` that says which lab made it: a copy of the record. Nothing without it is ever removed. */
export const DATA_MARKER = '.regionctl-lab';

export const recordFile = (dir: string) => join(dir, 'lab.json');

/** Where a lab in `dir` keeps data in memory: one place per folder, so that a second lab there would be noticed. */
export function memoryRootOf(dir: string): string {
  return join('/dev/shm', `regionctl-lab-${createHash('sha256').update(dir).digest('hex').slice(0, 12)}`);
}

/** The record of the lab in `dir`, also when somebody has removed the folder under a running lab. null = there is none. Throws when the file is not a lab's. */
export function readRecord(dir: string): LabRecord | null {
  const record = readRecordFile(recordFile(dir)) ?? readRecordFile(join(memoryRootOf(dir), DATA_MARKER));
  if (record === null || record.dir === dir) return record;
  // What it names would be removed: it must be what the caller named.
  throw refused('not-a-lab', `the lab in ${dir} was made in ${record.dir} and was moved`, {suggestions: ['move it back']});
}

/** Writes the record whole or not at all, readable by its owner only. */
export function writeRecord(record: LabRecord): void {
  const text = `${JSON.stringify(record, null, 1)}\n`;
  replaceFile(recordFile(record.dir), text);
  if (existsSync(join(record.dataRoot, DATA_MARKER))) replaceFile(join(record.dataRoot, DATA_MARKER), text);
}

/** Makes the folder for the regions' data, marked as the lab's. Throws when it is there already. */
export async function makeDataRoot(record: LabRecord): Promise<void> {
  await mkdir(record.dataRoot, {mode: 0o711});
  await writeFile(join(record.dataRoot, DATA_MARKER), JSON.stringify(record), {mode: 0o600});
}

function readRecordFile(file: string): LabRecord | null {
  let text: string;
  try {
    // Anybody can make files in memory: only our own are believed.
    if (![0, process.getuid?.() ?? 0].includes(statSync(file).uid)) throw refused('not-a-lab', `${file} belongs to another user`);
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null;
    throw error;
  }
  const record: unknown = JSON.parse(text);
  if (!isRecord(record)) throw refused('not-a-lab', `${file} was not written by regionctl lab`);
  return record;
}

function replaceFile(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, {mode: 0o600});
  renameSync(`${file}.new`, file);
}

function isRecord(value: unknown): value is LabRecord {
  if (typeof value !== 'object' || value === null) return false;
  return 'version' in value && value.version === 1 && 'supervisor' in value && 'dataRoot' in value && 'regions' in value && 'dir' in value;
}
