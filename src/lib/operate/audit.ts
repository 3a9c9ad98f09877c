import {randomBytes} from 'node:crypto';
import {type AuditJob, type AuditLog, type AuditProgress, auditStore, type StoreAudit} from '../consistency/audit/audit.ts';
import type {AuditedMember, DivergentKey, TableResult} from '../consistency/audit/model.ts';
import {type AuditVerdict, accuracyOf, type Counts, countsOf, coveredOf, verdictOf} from '../consistency/audit/verdict.ts';
import type {Baseline} from '../consistency/audit/written.ts';
import {refused, usageError} from '../errors.ts';
import {EXIT, type ExitCode} from '../exit-codes.ts';
import type {StoreSpec} from '../fleet/fleet.ts';
import {storeOf} from '../fleet/lookup.ts';
import type {Store} from '../ports/store.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {
  type AuditHead,
  auditIds,
  beginAuditLog,
  continueAuditLog,
  type LoggedAudit,
  type OpenAuditLog,
  readAuditLog,
} from '../state/audit-log.ts';
import {createPace, type Pace, type PaceLimits} from './audit-pace.ts';
import {judgeKey} from './judge-key.ts';
import {primaryRegion} from './primary-region.ts';

export type AuditOptions = {
  readonly store: string | undefined;
  /** Regions that are compared; empty = all. */
  readonly regions: readonly string[];
  /** Tables, as `schema.table`; empty = as the fleet file says. */
  readonly tables: readonly string[];
  /** Only what was written since the last audit. */
  readonly quick: boolean;
  /** The id of an audit that is gone on with, or `last`. */
  readonly resume: string | undefined;
  readonly sliceMs: number;
  readonly settleMs: number;
  readonly limit: number;
  readonly limits: PaceLimits;
  readonly onBegin: (id: string) => void;
  readonly onProgress: (progress: AuditProgress, pausedBy: string | null) => void;
  readonly signal: AbortSignal;
};

/** The document of `consistency audit`. Positions in bytes, decimal strings; times ISO 8601. */
export type AuditDocument = {
  readonly audit: string;
  readonly store: string;
  readonly engine: string;
  readonly verdict: AuditVerdict;
  readonly reason: string;
  readonly mode: 'full' | 'quick';
  /** When the last full audit began that this one rests on. */
  readonly full: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly resumed: boolean;
  readonly coverage: {
    /** Share of all rows that were compared in every region, 0 to 1. */
    readonly share: number;
    readonly rows: number;
    readonly regions: readonly string[];
    readonly lost: readonly {readonly region: string; readonly code: string; readonly reason: string}[];
    readonly skipped: readonly {readonly table: string; readonly reason: string}[];
  };
  readonly accuracy: number | null;
  readonly asOf: Readonly<Record<string, string>>;
  readonly tables: readonly TableResult[];
  readonly counts: Counts & {readonly late: number; readonly unsettled: number};
};

/** Compares the data of one store in all of its regions. Throws for what the user can mend, and when it is interrupted: then it can be resumed. */
export async function audit(open: OpenFleet, options: AuditOptions): Promise<{document: AuditDocument; exit: ExitCode}> {
  const {spec, store, ability} = auditable(open, options.store);
  const state = await open.state();
  const lease = state.lease(`audit-${open.fleet.name}-${spec.name}`, null);
  let log: OpenAuditLog | null = null;
  try {
    const members = membersOf(spec, options.regions);
    const earlier = options.resume === undefined ? null : findEarlier(open, spec, options.resume);
    const head = earlier?.head ?? newHead(open, spec, members, options);
    const baselines = head.quick ? baselineOf(open, spec, head) : null;
    const whole = baselines === null ? head : {...head, full: baselines.full};
    log = earlier === null ? beginAuditLog(open.stateDir, whole) : continueAuditLog(open.stateDir, head);
    options.onBegin(head.id);
    const began = {spec, store, ability, head: whole, members: earlier?.head.members ?? members, earlier, log};
    const told = await run(open, options, began, baselines?.tables ?? null);
    const document = toDocument(open, told, began);
    if (isWhole(told)) log.end(document.verdict);
    return {document, exit: exitOf(document.verdict)};
  } finally {
    log?.close();
    lease.release();
  }
}

/** Whether nothing is left that a resume could read: a region that was lost may be back, also for one table only, and who ran out of time may have more. */
const isWhole = ({lost, tables}: StoreAudit): boolean =>
  lost.length === 0 && tables.every(({code, covered}) => code === 'not-comparable' || (code !== 'wait-timeout' && covered === 1));

/** The exit code of a verdict: truncated is 2, since nobody knows how much more there is. */
export const exitOf = (verdict: AuditVerdict): ExitCode =>
  ({equal: EXIT.good, diverged: EXIT.warning, truncated: EXIT.critical, unknown: EXIT.unknown})[verdict];

type Auditable = {readonly spec: StoreSpec; readonly store: Store; readonly ability: NonNullable<Store['abilities']['audit']>};

/** The store that is named, or the only one that can be audited. */
export function auditable(open: OpenFleet, name: string | undefined): Auditable {
  const able = open.fleet.stores.flatMap((spec): Auditable[] => {
    const store = open.stores[spec.name];
    const ability = store?.abilities.audit;
    return store === undefined || ability === undefined ? [] : [{spec, store, ability}];
  });
  const names = able.map(({spec}) => spec.name);
  if (name === undefined) {
    const [only, second] = able;
    if (only === undefined) throw refused('not-auditable', 'the fleet file has no store whose data can be compared');
    if (second !== undefined)
      throw usageError('name the store that is to be audited', {suggestions: names.map((each) => `--store ${each}`)});
    return only;
  }
  storeOf(open.fleet, name);
  const found = able.find(({spec}) => spec.name === name);
  if (found === undefined) throw refused('not-auditable', `the data of ${name} cannot be compared: its engine has no digests`);
  return found;
}

/** Each with its region, or where a region has several with its own name besides. */
export function membersOf({name, members}: StoreSpec, regions: readonly string[]): readonly AuditedMember[] {
  const chosen = members.filter(({region}) => regions.length === 0 || regions.includes(region));
  if (chosen.length < 2) {
    const has = [...new Set(members.map(({region}) => region))].join(', ');
    throw usageError(`two members are needed for a comparison, and ${name} has ${chosen.length} there`, {
      suggestions: [`It has members in ${has}.`],
    });
  }
  const shared = (region: string): boolean => chosen.filter((each) => each.region === region).length > 1;
  return chosen.map(({name: member, region}) => ({member, region: shared(region) ? `${region}/${member}` : region}));
}

function newHead(open: OpenFleet, spec: StoreSpec, members: readonly AuditedMember[], options: AuditOptions): AuditHead {
  const at = new Date(open.clock.wall()).toISOString();
  const id = `${at.slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}-${randomBytes(3).toString('hex')}`;
  const only = options.tables.length > 0 ? options.tables : (spec.consistency?.only ?? null);
  return {
    v: 1,
    id,
    fleet: open.fleet.name,
    store: spec.name,
    members,
    quick: options.quick,
    full: at,
    startedAt: at,
    only,
    limit: options.limit,
  };
}

function findEarlier(open: OpenFleet, spec: StoreSpec, id: string): LoggedAudit {
  const of = {fleet: open.fleet.name, store: spec.name};
  const ids = auditIds(open.stateDir, of);
  const found = readAuditLog(open.stateDir, of, id === 'last' ? (ids.at(-1) ?? '') : id);
  if (found === null) {
    throw usageError(`there is no audit ${id === 'last' ? 'to resume' : id} of ${spec.name}`, {
      suggestions: ids.length === 0 ? ['Begin one: regionctl consistency audit'] : [`There are: ${ids.join(', ')}.`],
    });
  }
  if (found.ended) throw refused('audit-ended', `the audit ${found.head.id} came to its end; begin another one`);
  return found;
}

type Baselines = {readonly full: string; readonly tables: ReadonlyMap<string, Baseline>};

/** The newest audit of the same members that came to its end. */
function baselineOf(open: OpenFleet, spec: StoreSpec, {members}: AuditHead): Baselines {
  const of = {fleet: open.fleet.name, store: spec.name};
  for (const id of auditIds(open.stateDir, of).toReversed()) {
    const found = readAuditLog(open.stateDir, of, id);
    if (found === null || !found.ended || JSON.stringify(found.head.members) !== JSON.stringify(members)) continue;
    const tables = [...found.tables].filter(([, {result}]) => result?.covered === 1);
    return {full: found.head.full, tables: new Map(tables)};
  }
  throw refused(
    'no-baseline',
    `there is no audit of ${spec.name} in these regions that came to its end, so nothing is known of what was written since`,
    {
      suggestions: ['regionctl consistency audit'],
    },
  );
}

type Began = Auditable & {
  readonly head: AuditHead;
  readonly members: readonly AuditedMember[];
  readonly earlier: LoggedAudit | null;
  readonly log: OpenAuditLog;
};

async function run(
  open: OpenFleet,
  options: AuditOptions,
  began: Began,
  baselines: ReadonlyMap<string, Baseline> | null,
): Promise<StoreAudit> {
  const {spec, store, ability, members, earlier, log, head} = began;
  const {signal} = options;
  const links = store.abilities.links;
  const names = members.map(({member}) => member);
  const pace: Pace = createPace(open, {
    store: spec.name,
    members: names,
    audit: ability,
    limits: options.limits,
    rest: () => ability.rest(signal),
  });
  const primary = await primaryRegion(store, members, signal);
  const earlierLog: AuditLog = {
    earlier: (table) => earlier?.tables.get(table) ?? null,
    table: (table, form) => log.table(table, form),
    slice: (table, record) => log.slice(table, record),
    result: (result) => log.result(result),
  };
  const job: AuditJob = {
    ...{members, audit: ability, log: earlierLog, clock: open.clock, signal, baselines},
    links: links === undefined ? undefined : (own) => links.links(own),
    choice: {only: head.only, ignore: spec.consistency?.ignore ?? []},
    rules: spec.consistency?.tables ?? {},
    judge: (rule, key, versions): DivergentKey => judgeKey(rule, key, versions, {primary, regions: members.map(({region}) => region)}),
    ...{sliceMs: options.sliceMs, settleMs: options.settleMs, limit: head.limit},
    pace: () => pace.pass(signal),
    onProgress: (progress) => options.onProgress(progress, pace.says()),
  };
  return auditStore(job);
}

function toDocument(open: OpenFleet, told: StoreAudit, {spec, head, members, earlier}: Began): AuditDocument {
  const verdict = verdictOf(told.tables, told.lost);
  const sum = (of: (table: TableResult) => number): number => told.tables.reduce((all, table) => all + of(table), 0);
  return {
    ...{audit: head.id, store: spec.name, engine: spec.engine, verdict, reason: reasonOf(verdict, told)},
    ...{mode: head.quick ? 'quick' : 'full', full: head.full, startedAt: head.startedAt},
    endedAt: new Date(open.clock.wall()).toISOString(),
    resumed: earlier !== null,
    coverage: {
      share: told.lost.length === 0 || told.tables.length > 0 ? coveredOf(told.tables, told.expected) : 0,
      rows: sum(({rows}) => rows),
      regions: members.map(({region}) => region),
      lost: told.lost.map(({region, code, reason}) => ({region, code, reason})),
      skipped: told.skipped,
    },
    accuracy: accuracyOf(told.tables),
    asOf: told.asOf,
    tables: told.tables.map((table) => ({...table, divergent: table.divergent.map(({hashes: _, ...key}) => key)})),
    counts: {...countsOf(told.tables), late: sum(({late}) => late), unsettled: sum(({unsettled}) => unsettled)},
  };
}

/** One sentence for the verdict. */
function reasonOf(verdict: AuditVerdict, {tables, lost, members}: StoreAudit): string {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const keys = tables.reduce((sum, table) => sum + table.divergent.length, 0);
  const regions = members.map(({region}) => region).join(', ');
  const names = (of: AuditVerdict): string =>
    tables
      .filter((table) => table.verdict === of)
      .map(({table}) => table)
      .join(', ');
  if (verdict === 'truncated') return `More rows of ${names('truncated')} differ than are listed.`;
  if (verdict === 'diverged') return `${keys} of ${rows} rows are not the same in ${regions}: ${names('diverged')}.`;
  if (verdict === 'equal' && rows === 0) return `${tables.length === 1 ? 'The table has' : 'The tables have'} no rows in ${regions}.`;
  if (verdict === 'equal')
    return `All ${rows} rows of ${tables.length} ${tables.length === 1 ? 'table' : 'tables'} are the same in ${regions}.`;
  const trouble = lost[0]?.reason ?? tables.find(({reason}) => reason !== null)?.reason;
  return trouble ?? 'There is no table that could be compared.';
}
