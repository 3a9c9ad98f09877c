import {wholeColumns} from '../consistency/audit/audit.ts';
import {chooseTables} from '../consistency/audit/choose-tables.ts';
import {type ConfirmJob, confirm, newTally, type Versions} from '../consistency/audit/confirm.ts';
import type {Candidate} from '../consistency/audit/find-keys.ts';
import type {AuditedMember, DivergentKey} from '../consistency/audit/model.ts';
import {createReaders, type Readers} from '../consistency/audit/readers.ts';
import {settle} from '../consistency/audit/settle.ts';
import {type Classification, classifyKey} from '../consistency/causality/classify.ts';
import type {About, RowVersion} from '../consistency/causality/version.ts';
import {usageError} from '../errors.ts';
import {EXIT, type ExitCode} from '../exit-codes.ts';
import type {AuditVersion, TableAudit} from '../ports/audit.ts';
import type {Store} from '../ports/store.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {auditable, membersOf} from './audit.ts';
import {primaryRegion} from './primary-region.ts';

export type ExplainOptions = {
  readonly store: string | undefined;
  readonly table: string;
  /** As the audit prints it. */
  readonly key: string;
  readonly settleMs: number;
  readonly signal: AbortSignal;
};

/** The document of `consistency explain`. `verdict`: `late` = it differed, and was the same once replication had caught up. */
export type ExplainDocument = {
  readonly at: string;
  readonly store: string;
  readonly table: string;
  readonly key: string;
  readonly verdict: 'equal' | 'late' | 'diverged' | 'unknown';
  readonly class: Exclude<Classification['class'], 'equal'> | null;
  readonly regions: readonly string[];
  readonly why: string;
  readonly differs: readonly string[];
  readonly suspects: readonly string[];
  /** Columns of the table's rule, by what they are for. */
  readonly rule: Readonly<Record<string, string>>;
  readonly versions: readonly (RowVersion & {readonly clockOffMs: number | null})[];
  readonly lost: readonly {readonly region: string; readonly code: string; readonly reason: string}[];
};

/** Reads one row in all regions, and again once replication has caught up where it differs; and says why it does. */
export async function explainKey(open: OpenFleet, options: ExplainOptions): Promise<{document: ExplainDocument; exit: ExitCode}> {
  const {spec, store, ability} = auditable(open, options.store);
  const {signal, key} = options;
  const members = membersOf(spec, []);
  const readers = createReaders(members, signal);
  const cells = await ability.tables(
    members.map(({member}) => member),
    signal,
  );
  const catalogs = new Map(members.flatMap(({member}) => (cells[member]?.known === true ? [[member, cells[member].value] as const] : [])));
  for (const of of members) {
    const cell = cells[of.member];
    if (cell?.known !== true) readers.lose(of, cell?.code ?? 'unknown', cell?.reason ?? `${of.member} was not asked.`);
  }
  const name = options.table.includes('.') ? options.table : `public.${options.table}`;
  chooseTables(catalogs, {only: [name], ignore: []});
  const table = await ability.open(name, [...catalogs.keys()], {sliceMs: 1000}, signal);
  const rule = spec.consistency?.tables[name] ?? null;
  const whole = wholeColumns(rule);
  const [first, about] = await Promise.all([readKey(table, readers, key, whole, signal), aboutOf(store, members, signal)]);
  const links = store.abilities.links;
  const settling = {audit: ability, clock: open.clock, waitMs: options.settleMs, ...(links === undefined ? {} : {links: links.links})};
  const found = await lookAgain({table, readers, settle: () => settle(settling, readers.active(), signal), whole, signal}, key, first);
  const versions = members.flatMap(({region}) => {
    const version = found.versions.get(region);
    return version === undefined ? [] : [toVersion(region, version)];
  });
  const told = classifyKey(rule, versions, about);
  const verdict = verdictOf(found.state, readers);
  const why = found.open === null ? told.why : `${told.why} That may change: ${found.open}`;
  const document: ExplainDocument = {
    ...{at: new Date(open.clock.wall()).toISOString(), store: spec.name, table: name, key, verdict},
    ...{class: told.class === 'equal' ? null : told.class, regions: told.regions, why, differs: told.differs, suspects: told.suspects},
    rule: ruleText(rule),
    versions: versions.map((version) => ({...version, clockOffMs: about.wall?.[version.region] ?? null})),
    lost: readers.lost().map(({region, code, reason}) => ({region, code, reason})),
  };
  return {document, exit: {equal: EXIT.good, late: EXIT.good, diverged: EXIT.warning, unknown: EXIT.unknown}[verdict]};
}

type State = 'equal' | 'late' | 'diverged' | 'open';
/** What looking again told. `open` = why it is not settled. */
type Found = {readonly state: State; readonly versions: ReadonlyMap<string, AuditVersion>; readonly open: string | null};

/** As an audit does: a row that differs is read again, past all that the regions had at the look before, until it stands still. */
async function lookAgain(job: Omit<ConfirmJob, 'judge' | 'limit'>, key: string, first: ReadonlyMap<string, AuditVersion>): Promise<Found> {
  if (!isDifferent(first)) return {state: 'equal', versions: first, open: null};
  const tally = newTally();
  let seen = first;
  const judge = (_: string, versions: Versions): DivergentKey => {
    seen = new Map(Object.entries(versions));
    return {key, class: 'conflicting', regions: [], why: '', differs: [], suspects: []};
  };
  await confirm({...job, judge, limit: 1}, [candidateOf(key, first)], tally);
  if (tally.divergent.length > 0) return {state: 'diverged', versions: seen, open: null};
  const last = await readKey(job.table, job.readers, key, job.whole, job.signal);
  if (tally.late > 0) return {state: 'late', versions: last, open: null};
  return {state: 'open', versions: last, open: tally.behind ?? 'it changed at every look.'};
}

function candidateOf(key: string, versions: ReadonlyMap<string, AuditVersion>): Candidate {
  const all = [...versions];
  return {
    key,
    hashes: Object.fromEntries(all.map(([region, {hash}]) => [region, hash])),
    stamps: Object.fromEntries(all.flatMap(([region, {stamp}]) => (stamp === undefined ? [] : [[region, stamp]]))),
  };
}

function verdictOf(state: State, readers: Readers): ExplainDocument['verdict'] {
  if (state === 'diverged') return 'diverged';
  return state === 'open' || readers.lost().length > 0 ? 'unknown' : state;
}

async function readKey(table: TableAudit, readers: Readers, key: string, whole: readonly string[], signal: AbortSignal) {
  const read = await readers
    .each((member) => table.versions(member, [key], whole, signal))
    .catch((error: unknown) => {
      signal.throwIfAborted();
      const [lost] = readers.lost();
      // A key that is none is refused by every server alike.
      if (lost !== undefined && readers.active().length === 0 && /^(bad-key|sql)$/.test(lost.code))
        throw usageError(`"${key}" is no key of that table: ${lost.reason}`, {
          suggestions: ['Give the key as consistency audit prints it.'],
        });
      throw error;
    });
  return new Map(read.flatMap(({of, value}) => (value[0] === undefined ? [] : [[of.region, value[0]] as const])));
}

const isDifferent = (versions: ReadonlyMap<string, AuditVersion>): boolean =>
  new Set([...versions.values()].map(({hash}) => hash)).size > 1;

export const toVersion = (region: string, {row, committedAt, origin}: AuditVersion): RowVersion => ({region, row, committedAt, origin});

/** Whose word counts, and how far clocks are off: a version may only look newer. */
export async function aboutOf(store: Store, members: readonly AuditedMember[], signal: AbortSignal): Promise<About> {
  const [primary, offsets] = await Promise.all([
    primaryRegion(store, members, signal),
    store.abilities.clock?.offsets(signal).catch(() => null) ?? null,
  ]);
  const wall = offsets === null ? null : Object.fromEntries(members.map(({member, region}) => [region, offsets[member] ?? null]));
  return {primary, wall, regions: members.map(({region}) => region)};
}

function ruleText(rule: Parameters<typeof classifyKey>[0]): Readonly<Record<string, string>> {
  if (rule === null) return {};
  const named = {vectorClock: rule.vectorClock, hlc: rule.hlc, region: rule.region, tombstone: rule.tombstone};
  return {
    ...Object.fromEntries(Object.entries(named).flatMap(([what, column]) => (column === null ? [] : [[column, what]]))),
    ...rule.merge,
  };
}
