import {closeSync, existsSync, fsyncSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {SliceRecord} from '../consistency/audit/audit-table.ts';
import type {TableResult} from '../consistency/audit/model.ts';
import {makeStateDir} from './files.ts';
import {stateTrouble} from './trouble.ts';

/** How an audit was begun: what a resume goes by. `full` = when the audit began that its baseline goes back to (ISO 8601); of a full one its own beginning. */
export type AuditHead = {
  readonly v: 1;
  readonly id: string;
  readonly fleet: string;
  readonly store: string;
  readonly members: readonly {readonly member: string; readonly region: string}[];
  readonly quick: boolean;
  readonly full: string;
  readonly startedAt: string;
  readonly only: readonly string[] | null;
  readonly limit: number;
};

/** A table as far as it was written down. */
export type LoggedTable = {readonly form: string; readonly slices: readonly SliceRecord[]; readonly result: TableResult | null};

/** An audit as it was written down. `ended` = it came to its end. */
export type LoggedAudit = {readonly head: AuditHead; readonly tables: ReadonlyMap<string, LoggedTable>; readonly ended: boolean};

/** A log that is being written. Each line is on disk when its call returns. Throws StateError (73). */
export type OpenAuditLog = {
  table(table: string, form: string): void;
  slice(table: string, record: SliceRecord): void;
  result(result: TableResult): void;
  end(verdict: string): void;
  close(): void;
};

type Line =
  | {readonly type: 'audit'; readonly head: AuditHead}
  | {readonly type: 'table'; readonly table: string; readonly form: string}
  | {readonly type: 'slice'; readonly table: string; readonly record: SliceRecord}
  | {readonly type: 'result'; readonly result: TableResult}
  | {readonly type: 'end'; readonly verdict: string};

/** Audits of a store that are kept. */
const KEPT = 6;

const folderOf = (stateDir: string, {fleet, store}: Pick<AuditHead, 'fleet' | 'store'>): string => join(stateDir, 'audits', fleet, store);

/** Begins a log, and removes the oldest ones of the store. */
export function beginAuditLog(stateDir: string, head: AuditHead): OpenAuditLog {
  const dir = folderOf(stateDir, head);
  makeStateDir(dir);
  prune(dir);
  const log = openLog(join(dir, `${head.id}.ndjson`), 'ax');
  log.write({type: 'audit', head});
  return log.lines;
}

/** Goes on with a log. */
export function continueAuditLog(stateDir: string, head: AuditHead): OpenAuditLog {
  const log = openLog(join(folderOf(stateDir, head), `${head.id}.ndjson`), 'a');
  log.write(null);
  return log.lines;
}

/** The audits of a store, oldest first, by their ids. */
export function auditIds(stateDir: string, of: Pick<AuditHead, 'fleet' | 'store'>): readonly string[] {
  const dir = folderOf(stateDir, of);
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .filter((name) => name.endsWith('.ndjson'))
    .map((name) => name.slice(0, -'.ndjson'.length))
    .toSorted();
}

/** What was written down; null = there is no such audit, or nothing of it that can be read. */
export function readAuditLog(stateDir: string, of: Pick<AuditHead, 'fleet' | 'store'>, id: string): LoggedAudit | null {
  const file = join(folderOf(stateDir, of), `${id}.ndjson`);
  if (!/^[A-Za-z0-9_-]+$/.test(id) || !existsSync(file)) return null;
  let head: AuditHead | null = null;
  let ended = false;
  const tables = new Map<string, LoggedTable>();
  for (const line of linesOf(file)) {
    if (line.type === 'audit') head = line.head;
    else if (line.type === 'table') tables.set(line.table, {form: line.form, slices: [], result: null});
    else if (line.type === 'slice') addTo(tables, line.table, (table) => ({...table, slices: [...table.slices, unpacked(line.record)]}));
    else if (line.type === 'result') addTo(tables, line.result.table, (table) => ({...table, result: line.result}));
    else ended = true;
  }
  return head === null ? null : {head, tables, ended};
}

function addTo(tables: Map<string, LoggedTable>, name: string, change: (table: LoggedTable) => LoggedTable): void {
  tables.set(name, change(tables.get(name) ?? {form: '', slices: [], result: null}));
}

/** A line that is not whole was cut off by a kill, and never acknowledged. */
function* linesOf(file: string): Generator<Line> {
  for (const text of readFileSync(file, 'utf8').split('\n')) {
    if (text === '') continue;
    let line: Line | null = null;
    try {
      line = JSON.parse(text) as Line | null;
    } catch {
      // The next one begins on a line of its own.
    }
    if (typeof line?.type === 'string') yield line;
  }
}

function openLog(file: string, flags: 'ax' | 'a') {
  let handle: number;
  try {
    handle = openSync(file, flags, 0o600);
  } catch (error) {
    throw stateTrouble(file, error);
  }
  const write = (line: Line | null): void => {
    try {
      // A new line first: what a kill cut off must not run into the next one.
      writeFileSync(handle, line === null ? '\n' : `${JSON.stringify(line)}\n`);
      fsyncSync(handle);
    } catch (error) {
      throw stateTrouble(file, error);
    }
  };
  const lines: OpenAuditLog = {
    table: (table, form) => write({type: 'table', table, form}),
    slice: (table, record) => write({type: 'slice', table, record: packed(record)}),
    result: (result) => write({type: 'result', result}),
    end: (verdict) => write({type: 'end', verdict}),
    close: () => closeSync(handle),
  };
  return {write, lines};
}

/** Regions mostly have the same number of rows in every chunk: written once then, under a name that no region can have. */
const ALL = '*';

function packed(record: SliceRecord): SliceRecord {
  const all = Object.values(record.chunks ?? {}).map((chunks) => JSON.stringify(chunks.toSorted(([a], [b]) => (a < b ? -1 : 1))));
  const [first] = Object.values(record.chunks ?? {});
  return first === undefined || new Set(all).size > 1 ? record : {...record, chunks: {[ALL]: first}};
}

function unpacked(record: SliceRecord): SliceRecord {
  const shared = record.chunks?.[ALL];
  return shared === undefined ? record : {...record, chunks: Object.fromEntries(Object.keys(record.at).map((region) => [region, shared]))};
}

function prune(dir: string): void {
  const files = readdirSync(dir).filter((name) => name.endsWith('.ndjson'));
  const old = files.map((name) => ({file: join(dir, name), at: statSync(join(dir, name)).mtimeMs})).toSorted((a, b) => b.at - a.at);
  for (const {file} of old.slice(KEPT - 1)) rmSync(file, {force: true});
}
