import {isRegionctlError, messageOf} from '../../errors.ts';
import type {TableRule} from '../../fleet/fleet.ts';
import type {Audit, AuditTable, TableAudit} from '../../ports/audit.ts';
import type {Clock} from '../../ports/clock.ts';
import {auditTable, readWhole, type SliceRecord, type TableJob} from './audit-table.ts';
import {chained, isPartOf, isWhole} from './chain.ts';
import {type Choice, chooseTables, type Skipped} from './choose-tables.ts';
import type {Versions} from './confirm.ts';
import type {AuditedMember, DivergentKey, LostMember, TableResult} from './model.ts';
import {createReaders, type Readers, TooFew} from './readers.ts';
import {type SettleJob, settle} from './settle.ts';
import {type Baseline, readWritten} from './written.ts';

/** Where an audit is. `rows` and `of` count rows of all tables, `of` as the engines estimate it. */
export type AuditProgress = {
  readonly table: string;
  readonly tables: number;
  readonly done: number;
  readonly rows: number;
  readonly of: number;
};

/** What is written down while an audit runs, so that it can be gone on with. */
export type AuditLog = {
  /** What an earlier process has written of a table; null = nothing. `form`: what its slices mean; they are worth nothing to another one. */
  earlier(table: string): {readonly form: string; readonly slices: readonly SliceRecord[]; readonly result: TableResult | null} | null;
  table(table: string, form: string): void;
  slice(table: string, record: SliceRecord): void;
  result(result: TableResult): void;
};

export type AuditJob = {
  readonly members: readonly AuditedMember[];
  readonly audit: Audit;
  readonly links: SettleJob['links'];
  readonly choice: Choice;
  readonly rules: Readonly<Record<string, TableRule>>;
  readonly judge: (rule: TableRule | null, key: string, versions: Versions) => DivergentKey;
  readonly log: AuditLog;
  /** What an earlier audit left of each table: only what was written since is hashed. null = everything is. */
  readonly baselines: ReadonlyMap<string, Baseline> | null;
  readonly clock: Clock;
  /** How long one statement should take, and replication may, in ms. */
  readonly sliceMs: number;
  readonly settleMs: number;
  /** Most keys that are listed per table. */
  readonly limit: number;
  readonly pace: () => Promise<void>;
  readonly onProgress: (progress: AuditProgress) => void;
  readonly signal: AbortSignal;
};

/** Everything that an audit of one store told. */
export type StoreAudit = {
  readonly tables: readonly TableResult[];
  readonly skipped: readonly Skipped[];
  readonly members: readonly AuditedMember[];
  readonly lost: readonly LostMember[];
  /** Where each region was when it was first read, in its own stream. */
  readonly asOf: Readonly<Record<string, string>>;
  /** Rows that each table was thought to have, at most. */
  readonly expected: ReadonlyMap<string, number>;
};

/** Compares the tables of a store on all members, one after the other. Throws only when it is cancelled, or for tables that nobody has. */
export async function auditStore(job: AuditJob): Promise<StoreAudit> {
  const {members, choice, signal, log} = job;
  const readers = createReaders(members, signal);
  const catalogs = await readCatalogs(job, readers);
  const {tables, skipped} = chooseTables(catalogs, choice);
  const asOf: Record<string, string> = {};
  const results: TableResult[] = [];
  const of = tables.reduce((sum, {rows}) => sum + rows, 0);
  for (const [index, {name, rows}] of tables.entries()) {
    const before = results.reduce((sum, result) => sum + result.rows, 0);
    const progress = (done: number): void =>
      job.onProgress({table: name, tables: tables.length, done: index, rows: before + done, of: Math.max(of, before + done)});
    progress(0);
    const earlier = log.earlier(name);
    if (earlier !== null) firstPlaces(asOf, earlier.slices);
    // A member that could not read this table may well read the others.
    const own = createReaders(readers.active(), signal, readers.lost());
    const result = earlier?.result ?? (await auditOne(job, own, {name, rows, progress, asOf}));
    // One that was cut short is read to its end by whoever resumes.
    if (earlier?.result == null && own.lost().length === 0 && result.code !== 'wait-timeout') log.result(result);
    await forgetSilent(job, readers, own);
    results.push(result);
  }
  return {
    tables: results,
    skipped,
    members,
    lost: readers.lost(),
    asOf,
    expected: new Map(tables.map((table) => [table.name, table.rows])),
  };
}

async function readCatalogs({members, audit, signal}: AuditJob, readers: Readers): Promise<ReadonlyMap<string, readonly AuditTable[]>> {
  const cells = await audit.tables(
    members.map(({member}) => member),
    signal,
  );
  const read = members.flatMap((of) => {
    const cell = cells[of.member];
    if (cell?.known === true) return [[of.member, cell.value] as const];
    readers.lose(of, cell?.code ?? 'unknown', cell?.reason ?? `${of.member} was not asked.`);
    return [];
  });
  return new Map(read);
}

/** Of those that were lost while a table was read, the ones that do not answer any more are not asked for the next ones. */
async function forgetSilent({audit, signal}: AuditJob, readers: Readers, own: Readers): Promise<void> {
  const left = readers.active();
  const lost = own.lost().filter(({member}) => left.some((each) => each.member === member));
  const silent = await Promise.all(lost.map(async (each) => ((await isThere(audit, each.member, signal)) ? [] : [each])));
  for (const each of silent.flat()) {
    const of = left.find(({member}) => member === each.member);
    if (of !== undefined) readers.lose(of, each.code, each.reason);
  }
}

async function isThere(audit: Audit, member: string, signal: AbortSignal): Promise<boolean> {
  try {
    await audit.position(member, signal);
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

/** Does what needs all members, and once more with those that are left when some of them turn out to be silent. */
async function withThoseThere<T>({audit, signal}: AuditJob, readers: Readers, work: () => Promise<T>): Promise<T> {
  for (;;) {
    const before = readers.active().length;
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      // Asking loses those that do not answer, and throws when too few are left.
      if (!isRegionctlError(error) || error.code === 'not-comparable') throw error;
      await readers.each((member) => audit.position(member, signal));
      if (readers.active().length === before) throw error;
    }
  }
}

type One = {readonly name: string; readonly rows: number; readonly progress: (rows: number) => void; readonly asOf: Record<string, string>};

async function auditOne(job: AuditJob, readers: Readers, {name, rows, progress, asOf}: One): Promise<TableResult> {
  const {audit, clock, signal, log, sliceMs, settleMs, members} = job;
  const rule = job.rules[name] ?? null;
  try {
    const active = (): readonly string[] => readers.active().map(({member}) => member);
    const table = await withThoseThere(job, readers, () => audit.open(name, active(), {sliceMs}, signal));
    const earlier = log.earlier(name);
    const done = earlier?.form === table.form ? chained(table, earlier.slices) : [];
    if (done.length === 0 || done.length < (earlier?.slices.length ?? 0)) {
      log.table(name, table.form);
      for (const record of done) log.slice(name, record);
    }
    const onSlice = (record: SliceRecord): void => {
      firstPlaces(asOf, [record]);
      log.slice(name, record);
    };
    const baseline = usable(job.baselines?.get(name), table, done);
    const reading =
      baseline === null ? {read: readWhole, slices: null} : {read: readWritten(baseline), slices: baseline.slices.map(({slice}) => slice)};
    const own: TableJob = {
      ...{name, table, readers, rows, done, onSlice, signal, ...reading},
      ...{members: members.length, limit: job.limit, pace: job.pace, onProgress: progress, whole: wholeColumns(rule)},
      settle: () =>
        withThoseThere(job, readers, () =>
          settle({audit, clock, waitMs: settleMs, ...(job.links === undefined ? {} : {links: job.links})}, readers.active(), signal),
        ),
      judge: (key, versions) => job.judge(rule, key, versions),
      now: () => clock.now(),
      received: () => members.reduce((sum, {member}) => sum + audit.received(member), 0),
    };
    return await auditTable(own);
  } catch (error) {
    signal.throwIfAborted();
    const code = error instanceof TooFew ? readers.lost().at(-1)?.code : isRegionctlError(error) ? error.code : undefined;
    return unread(name, code ?? 'error', messageOf(error));
  }
}

/** null = it is of another form, or has not all of the table, or was cut otherwise than what was read: by its slices some rows would never be read. */
function usable(baseline: Baseline | undefined, table: TableAudit, done: readonly SliceRecord[]): Baseline | null {
  if (baseline?.form !== table.form || !isWhole(table, baseline.slices)) return null;
  return isPartOf(done, baseline.slices) ? baseline : null;
}

/** Where each region was when it was first read. */
function firstPlaces(asOf: Record<string, string>, records: readonly SliceRecord[]): void {
  for (const {at} of records) for (const [region, place] of Object.entries(at)) asOf[region] ??= place;
}

/** The columns that tell versions of a row apart: without all of it a state cannot be compared. */
export function wholeColumns(rule: TableRule | null): readonly string[] {
  if (rule === null) return [];
  const named = [rule.vectorClock, rule.hlc, rule.region, rule.tombstone].flatMap((column) => (column === null ? [] : [column]));
  return [...named, ...Object.keys(rule.merge)];
}

function unread(table: string, code: string, reason: string): TableResult {
  const nothing = {rows: 0, covered: 0, accuracy: null, divergent: [], late: 0, unsettled: 0, unexamined: 0, bytesMoved: 0, elapsedMs: 0};
  return {table, verdict: 'unknown', ...nothing, snapshots: {}, hashed: null, code, reason};
}
