import {basename} from 'node:path';
import {timeoutAwake} from '../awake.ts';
import type {AuditedMember} from '../consistency/audit/model.ts';
import {settle} from '../consistency/audit/settle.ts';
import type {About} from '../consistency/causality/version.ts';
import type {Batch} from '../consistency/repair/model.ts';
import {createTally, leftOf, type RepairedTable, remarksOf} from '../consistency/repair/overview.ts';
import {planRepair} from '../consistency/repair/plan-repair.ts';
import {type PageJob, type PageKey, resolvePage} from '../consistency/repair/resolve-page.ts';
import {createRowsWriter, type RowsWriter} from '../consistency/repair/rows-file.ts';
import {isRegionctlError, messageOf, refused} from '../errors.ts';
import {EXIT, type ExitCode} from '../exit-codes.ts';
import type {StoreSpec} from '../fleet/fleet.ts';
import {observeFleet} from '../observe/take-snapshot.ts';
import type {Override, Plan} from '../plan/plan.ts';
import {gateOpen, type PlanDocument, planDocument} from '../plan/plan-document.ts';
import type {Audit} from '../ports/audit.ts';
import type {Repair} from '../ports/repair.ts';
import type {Store} from '../ports/store.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {judgeGates} from '../run/judge-gates.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import type {LoggedAudit} from '../state/audit-log.ts';
import {auditable} from './audit.ts';
import {newRunId} from './conduct.ts';
import {aboutOf} from './explain-key.ts';
import {handlerOf} from './repair-handler.ts';
import {findAudit, keysOf, type RepairChoice} from './repair-keys.ts';
import type {World} from './world.ts';

export type RepairOptions = RepairChoice & {
  readonly store: string | undefined;
  /** The id of the audit; absent = the newest that came to its end. */
  readonly audit: string | undefined;
  /** Where the plan is going to be saved; the rows file goes beside it. Absent = nowhere. */
  readonly output: string | undefined;
  readonly maxAgeMs: number;
  readonly settleMs: number;
  readonly overrides: readonly Override[];
  readonly onProgress: (table: string, done: number, of: number) => void;
  readonly signal: AbortSignal;
};

/** What is told of a repair besides its plan. `rows`: the file beside the plan; null = there is nothing to write, or it was not to be saved. */
export type RepairOverview = {
  readonly store: string;
  readonly audit: {readonly id: string; readonly startedAt: string};
  readonly regions: readonly string[];
  readonly rows: {readonly file: string; readonly sha256: string; readonly bytes: number; readonly writes: number} | null;
  readonly tables: readonly RepairedTable[];
  /** Tables of which the audit did not list all that differs. */
  readonly truncated: readonly string[];
  /** Tables that could not be read, and why. */
  readonly unread: readonly {readonly table: string; readonly code: string; readonly reason: string}[];
};

/** The document of `consistency repair plan`: that of any plan, and what it does to which keys. */
export type RepairPlanDocument = PlanDocument & {readonly repair: RepairOverview};

/** The name of the rows file of a plan's file. */
export const rowsFileOf = (file: string): string => `${file}.rows.ndjson`;

/** So many keys are read at once, and so many rows are written in one transaction at most. */
const PAGE = 200;
const GATES_MS = 15_000;
const NOT_NAMED = 'It was not asked for.';

type Place = {readonly spec: StoreSpec; readonly store: Store; readonly audit: Audit; readonly repair: Repair};

/** Reads what an audit found to differ again, decides on every key, and plans the writes. Nothing is written but the rows file. */
export async function planRepairOf(
  open: OpenFleet,
  world: World,
  options: RepairOptions,
): Promise<{document: RepairPlanDocument; exit: ExitCode}> {
  const place = placeOf(open, options.store);
  const logged = findAudit(open, place.spec, options.audit);
  const {members} = logged.head;
  const {snapshot} = await observeFleet({...open, signal: options.signal, vantage: 'here'});
  const standbys = standbysOf(place.spec, snapshot, members);
  const rows = createRowsWriter(options.output === undefined ? null : rowsFileOf(options.output));
  try {
    const found = await readTables(open, place, {logged, standbys, rows, options});
    const truncated = [...logged.tables].flatMap(([table, {result}]) => (result?.verdict === 'truncated' ? [table] : []));
    const file = {name: basename(rowsFileOf(options.output ?? 'plan.json')), ...ended(rows, found.batches)};
    const plan = planRepair({
      ...{id: newRunId('repair', open.clock.wall()), fleet: open.fleet, snapshot, store: place.spec.name, members, file},
      ...{batches: found.batches, audit: logged.head, maxAgeMs: options.maxAgeMs, settleMs: options.settleMs, overrides: options.overrides},
      remarks: [...remarksOf(found.tables), ...truncated.map((table) => `${table}: the audit did not list all that differs`)],
    });
    const judged = await withGates(open, world, plan, options.signal);
    const writes = found.batches.reduce((sum, {slice}) => sum + slice.lines, 0);
    const overview: RepairOverview = {
      ...{
        store: place.spec.name,
        audit: {id: logged.head.id, startedAt: logged.head.startedAt},
        regions: members.map(({region}) => region),
      },
      rows: writes === 0 || options.output === undefined ? null : {file: file.name, sha256: file.sha256, bytes: file.bytes, writes},
      ...{tables: found.tables, truncated, unread: found.unread},
    };
    const document = {...planDocument(judged), repair: overview};
    return {document, exit: exitOf(document)};
  } finally {
    rows.discard();
  }
}

/** Refused before what could not be read, that before what a person has to decide. */
function exitOf({gates, repair}: RepairPlanDocument): ExitCode {
  if (!gates.every(gateOpen)) return EXIT.refused;
  if (repair.unread.length > 0) return EXIT.unknown;
  const open = leftOf(repair.tables, 'person') + leftOf(repair.tables, 'newer') + leftOf(repair.tables, 'standby');
  return open + leftOf(repair.tables, 'not-taken') > 0 ? EXIT.warning : EXIT.good;
}

/** The store and what a repair needs of it; refused (77) where its engine cannot. */
export function placeOf(open: OpenFleet, name: string | undefined): Place {
  const {spec, store, ability} = auditable(open, name);
  const {repair} = store.abilities;
  if (repair === undefined)
    throw refused('not-repairable', `${spec.name} cannot be repaired by rows: its engine does not write single rows`);
  return {spec, store, audit: ability, repair};
}

/** Standbys with the regions that they follow. Refused (77) when only one member takes writes: then there is nothing that rows could mend. */
function standbysOf(spec: StoreSpec, snapshot: Snapshot, members: readonly AuditedMember[]): ReadonlyMap<string, string | null> {
  const cells = snapshot.stores[spec.name]?.members ?? {};
  const standbys = members.flatMap(({member, region}): [string, string | null][] => {
    const cell = cells[member];
    if (cell?.known !== true || cell.value.role !== 'standby') return [];
    const {upstream} = cell.value;
    return [[region, members.find((each) => each.member === upstream)?.region ?? null]];
  });
  if (standbys.length >= members.length - 1)
    throw refused(
      'nothing-by-rows',
      `${spec.name} has one member that takes writes, and ${standbys.length} physical ${standbys.length === 1 ? 'standby' : 'standbys'} of it: a standby that differs is not repaired by rows; rebuild it`,
    );
  return new Map(standbys);
}

/** Nothing is decided on rows that may only be late. */
async function caughtUp(
  open: OpenFleet,
  place: Place,
  members: readonly AuditedMember[],
  {settleMs, signal}: RepairOptions,
): Promise<void> {
  const {links} = place.store.abilities;
  const job = {audit: place.audit, clock: open.clock, waitMs: settleMs, ...(links === undefined ? {} : {links: links.links})};
  const settled = await settle(job, members, signal);
  if (settled.basis === 'behind')
    throw refused('not-caught-up', `nothing was planned: ${settled.reason}`, {
      suggestions: ['regionctl replication lag', 'give it longer: --settle-time 2m'],
    });
}

type Reading = {
  readonly logged: LoggedAudit;
  readonly standbys: ReadonlyMap<string, string | null>;
  readonly rows: RowsWriter;
  readonly options: RepairOptions;
};
type FoundTables = {readonly tables: RepairedTable[]; readonly batches: Batch[]; readonly unread: RepairOverview['unread'][number][]};

async function readTables(open: OpenFleet, place: Place, reading: Reading): Promise<FoundTables> {
  const {logged, options} = reading;
  const {signal} = options;
  const chosen = keysOf(place.spec, logged, options);
  const members = logged.head.members;
  const found: FoundTables = {tables: [], batches: [], unread: []};
  if (chosen.length === 0) return found;
  const trouble = await troubleBefore(open, place, members, options);
  if (trouble !== null) return {...found, unread: chosen.map(({table}) => ({table, ...trouble}))};
  const about = await aboutOf(place.store, members, signal);
  for (const {table, keys} of chosen) {
    const takeBack = reading.rows.mark();
    try {
      await readTable(open, place, {...reading, table, keys, about, found});
    } catch (error) {
      signal.throwIfAborted();
      // A disk that is full is no matter of this table.
      if (isRegionctlError(error) && error.exit === EXIT.state) throw error;
      // No step writes what was decided of the table before: it must not be taken for written afterwards.
      takeBack();
      found.unread.push({table, code: isRegionctlError(error) ? error.code : 'error', reason: messageOf(error)});
    }
  }
  return found;
}

/** Why nothing can be read; null = all regions answer, and have what the others had. Refused (77) when one is behind. */
async function troubleBefore(
  open: OpenFleet,
  place: Place,
  members: readonly AuditedMember[],
  options: RepairOptions,
): Promise<{code: string; reason: string} | null> {
  const names = members.map(({member}) => member);
  try {
    const cells = await place.audit.tables(names, options.signal);
    const lost = members.find(({member}) => cells[member]?.known !== true);
    if (lost !== undefined) {
      const cell = cells[lost.member];
      return {
        code: cell?.known === false ? cell.code : 'unknown',
        reason: cell?.known === false ? cell.reason : `${lost.region} was not asked`,
      };
    }
    await caughtUp(open, place, members, options);
    return null;
  } catch (error) {
    options.signal.throwIfAborted();
    if (!isRegionctlError(error) || error.exit !== EXIT.unavailable) throw error;
    return {code: error.code, reason: error.message};
  }
}

type OneTable = Reading & {
  readonly table: string;
  readonly keys: readonly (PageKey & {readonly chosen: boolean})[];
  readonly about: About;
  readonly found: FoundTables;
};

async function readTable(open: OpenFleet, place: Place, one: OneTable): Promise<void> {
  const {table, keys, found, rows, logged, options} = one;
  const {members} = logged.head;
  const job = await jobOf(open, place, one);
  const tally = createTally(table);
  const batches: Batch[] = [];
  for (const {key, chosen} of keys) {
    if (chosen) continue;
    rows.left({table, key, left: 'not-named', why: NOT_NAMED});
    tally.add({key, kind: 'left', left: 'not-named', why: NOT_NAMED});
  }
  const wanted = keys.filter(({chosen}) => chosen);
  for (let from = 0; from < wanted.length; from += PAGE) {
    options.onProgress(table, from, wanted.length);
    const resolved = await resolvePage(job, wanted.slice(from, from + PAGE));
    for (const each of resolved) tally.add(each);
    const lines = resolved.flatMap((each) => (each.kind === 'writes' ? each.lines : []));
    for (const {member, region} of members) {
      const own = lines.filter((line) => line.region === region);
      if (own.length > 0) batches.push({table, member, region, slice: rows.batch(from / PAGE, own)});
    }
    for (const each of resolved) if (each.kind === 'left') rows.left({table, key: each.key, left: each.left, why: each.why});
  }
  found.batches.push(...batches);
  found.tables.push(tally.table());
}

async function jobOf(open: OpenFleet, place: Place, {table, about, standbys, logged, options}: OneTable): Promise<PageJob> {
  const {members} = logged.head;
  const {signal} = options;
  const names = members.map(({member}) => member);
  const audit = await place.audit.open(table, names, {sliceMs: 1000}, signal);
  const all = await Promise.all(names.map((member) => place.repair.columns(member, table, signal)));
  const [columns = {columns: [], key: []}] = all;
  const own = (of: typeof columns): string => JSON.stringify([...of.columns].toSorted());
  if (all.some((other) => own(other) !== own(columns)))
    throw refused('not-comparable', `the columns of ${table} that are made of others are not the same everywhere`);
  return {
    ...{store: place.spec.name, table, audit, repair: place.repair, members, columns, standbys, about, signal},
    rule: place.spec.consistency?.tables[table] ?? null,
    settle: () => caughtUp(open, place, members, options),
    handler: handlers(open, signal),
  };
}

/** Each is opened once for a table. */
function handlers(open: OpenFleet, signal: AbortSignal): PageJob['handler'] {
  const known = new Map<string, ReturnType<PageJob['handler']>>();
  return (name) => {
    const found = known.get(name) ?? handlerOf(open, name, signal);
    known.set(name, found);
    return found;
  };
}

/** Without writes no file is left. */
function ended(rows: RowsWriter, batches: readonly Batch[]): {sha256: string; bytes: number} {
  if (batches.length > 0) return rows.end();
  rows.discard();
  return {sha256: '', bytes: 0};
}

async function withGates(open: OpenFleet, world: World, plan: Plan, signal: AbortSignal): Promise<Plan> {
  const ctx = {
    ...{runId: 'plan', token: 'none', signal: AbortSignal.any([signal, timeoutAwake(GATES_MS)]), now: () => open.clock.now()},
    deadline: open.clock.now() + GATES_MS,
  };
  return judgeGates(plan, world.checks, ctx);
}
