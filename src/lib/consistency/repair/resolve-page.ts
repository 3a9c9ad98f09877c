import {isDeepStrictEqual} from 'node:util';
import {messageOf} from '../../errors.ts';
import type {TableRule} from '../../fleet/fleet.ts';
import type {AuditVersion, TableAudit} from '../../ports/audit.ts';
import type {HandlerQuestion} from '../../ports/handler.ts';
import type {Repair, RowColumns, RowPrint} from '../../ports/repair.ts';
import type {AuditedMember} from '../audit/model.ts';
import {writesTo} from '../causality/resolve.ts';
import {inOrder} from '../causality/stamp.ts';
import {type About, type Columns, identityOf, type RowVersion} from '../causality/version.ts';
import {type Decision, decideKey, type Hashes} from './decide.ts';
import {answerOf} from './handler.ts';
import type {Layer, LeftKind, RowLine} from './model.ts';

/** A key that an audit found to differ, with what the audit saw; see `KeyCase`. */
export type PageKey = {readonly key: string; readonly seen: Hashes; readonly named: boolean; readonly take: string | null};

/** What becomes of a key, with the lines that do it. */
export type Resolved = {readonly key: string} & (
  | {readonly kind: 'same'}
  | {readonly kind: 'left'; readonly left: LeftKind; readonly why: string}
  | {readonly kind: 'writes'; readonly layer: Layer; readonly why: string; readonly lines: readonly RowLine[]}
);

export type PageJob = {
  readonly store: string;
  readonly table: string;
  readonly audit: TableAudit;
  readonly repair: Pick<Repair, 'print'>;
  readonly members: readonly AuditedMember[];
  readonly columns: RowColumns;
  readonly rule: TableRule | null;
  readonly about: About;
  /** The regions whose members are standbys, with the region of the member that each follows; null = that is none of them. */
  readonly standbys: ReadonlyMap<string, string | null>;
  /** What decides by that name, and what people call it: its answer is one line of JSON. */
  readonly handler: (name: string) => {readonly who: string; ask(question: HandlerQuestion): Promise<string>};
  /** Waits until every region has what the others had. */
  readonly settle: () => Promise<void>;
  readonly signal: AbortSignal;
};

/** Reads some keys in all regions, decides on each, and has every member print what it would hold. Nothing is written. Throws when a region cannot be read. */
export async function resolvePage(job: PageJob, keys: readonly PageKey[]): Promise<readonly Resolved[]> {
  const read = await readVersions(
    job,
    keys.map(({key}) => key),
  );
  const moving = await movingKeys(job, keys, read);
  const decided: {readonly key: string; readonly versions: readonly RowVersion[]; readonly decision: Decision}[] = [];
  for (const each of keys) {
    const {key} = each;
    const {versions, hashes} = read.get(key) ?? {versions: [], hashes: {}};
    const decision = moving.has(key)
      ? left('newer', 'It changed between two looks: it is being written, or is on its way.')
      : await answered(job, key, versions, decideKey({...each, rule: job.rule, about: job.about, versions, now: hashes}));
    decided.push({key, versions, decision});
  }
  const rows = decided.flatMap(({key, versions, decision}) => (decision.kind === 'row' ? [{key, versions, decision}] : []));
  const printed = await printAll(job, rows);
  return decided.map(({key, versions, decision}): Resolved => {
    if (decision.kind === 'same') return {key, kind: 'same'};
    if (decision.kind === 'left') return {key, ...decision};
    if (decision.kind === 'ask') throw new Error(`the hook was not asked for ${key}`);
    return laidOut(job, key, versions, decision, printed);
  });
}

/** With one full stop. */
const sentence = (text: string): string => `${text.replace(/\.$/, '')}.`;

const left = (kind: LeftKind, why: string): Decision & {readonly kind: 'left'} => ({kind: 'left', left: kind, why});

type Read = {readonly versions: readonly RowVersion[]; readonly hashes: Hashes};

async function readVersions({audit, members, columns, signal}: PageJob, keys: readonly string[]): Promise<ReadonlyMap<string, Read>> {
  const read = await Promise.all(
    members.map(async ({member, region}) => ({region, rows: await audit.versions(member, keys, columns.columns, signal)})),
  );
  return new Map(
    keys.map((key, index) => {
      const own = read.flatMap(({region, rows}) => (rows[index] === undefined ? [] : [{region, version: rows[index]}]));
      const versions = own.map(({region, version}) => toRowVersion(region, version, columns));
      return [key, {versions, hashes: Object.fromEntries(own.map(({region, version}) => [region, version.hash]))}];
    }),
  );
}

/** Only the columns that a row has of its own: what is made of others follows them. */
function toRowVersion(region: string, {row, committedAt, origin}: AuditVersion, {columns}: RowColumns): RowVersion {
  const own = row === null ? null : Object.fromEntries(columns.map((name) => [name, row[name] ?? null]));
  return {region, row: own, committedAt, origin};
}

/** A row that is newer than the audit was seen by nobody twice: what is being replicated is not what differs. */
async function movingKeys(job: PageJob, keys: readonly PageKey[], read: ReadonlyMap<string, Read>): Promise<ReadonlySet<string>> {
  const newer = keys.filter(({key, seen, named}) => named && !isDeepStrictEqual(read.get(key)?.hashes, seen)).map(({key}) => key);
  if (newer.length === 0) return new Set();
  await job.settle();
  const again = await readVersions(job, newer);
  return new Set(newer.filter((key) => !isDeepStrictEqual(again.get(key)?.hashes, read.get(key)?.hashes)));
}

async function answered(job: PageJob, key: string, versions: readonly RowVersion[], decision: Decision): Promise<Decision> {
  if (decision.kind !== 'ask') return decision;
  const {hook, merged} = decision;
  const {who, ask} = job.handler(hook);
  const question: HandlerQuestion = {store: job.store, table: job.table, key, versions, merged};
  try {
    return answerOf(who, await ask(question), question, job.columns);
  } catch (error) {
    job.signal.throwIfAborted();
    return left('person', `The ${who} did not decide: ${sentence(messageOf(error))}`);
  }
}

type RowDecision = Decision & {readonly kind: 'row'};
type Printed = ReadonlyMap<string, RowPrint>;

const printId = (member: string, row: Columns): string => `${member} ${identityOf(row)}`;

type Written = {readonly versions: readonly RowVersion[]; readonly decision: RowDecision};

/** Every row that would be written, and every one that an undo would write back, as its member prints it. */
async function printAll(job: PageJob, rows: readonly Written[]): Promise<Printed> {
  const printed = new Map<string, RowPrint>();
  for (const {member, region} of job.members) {
    if (job.standbys.has(region)) continue;
    const wanted = new Map(rows.flatMap((each) => rowsIn(each, region)).map((row) => [printId(member, row), row]));
    const answers = await job.repair.print(member, job.table, [...wanted.values()], job.signal);
    [...wanted.keys()].forEach((id, index) => {
      const answer = answers[index];
      if (answer !== undefined) printed.set(id, answer);
    });
  }
  return printed;
}

/** The rows that a region is to have, and to get back. */
function rowsIn({versions, decision}: Written, region: string): readonly Columns[] {
  const writes = writesTo(versions, decision.row).filter((write) => write.region === region);
  return writes.flatMap(({from}) => [from, decision.row]).filter((row) => row !== null);
}

/** The lines of a decision, or why a member cannot do its part: then nothing is done to the key anywhere. */
function laidOut(job: PageJob, key: string, versions: readonly RowVersion[], decision: RowDecision, printed: Printed): Resolved {
  const {layer, row, why} = decision;
  const lines: RowLine[] = [];
  const writes = writesTo(versions, row);
  const having = job.members.flatMap(({member, region}) =>
    job.standbys.has(region) || writes.some((write) => write.region === region) ? [] : [member],
  );
  for (const {region, change, from} of writes) {
    if (job.standbys.has(region)) {
      const trouble = standbyTrouble(job, region, versions);
      if (trouble !== null) return {key, ...left('standby', trouble)};
      continue;
    }
    const member = job.members.find((each) => each.region === region)?.member ?? region;
    const to = printedOf(printed, member, row);
    const trouble = printTrouble(region, printedOf(printed, member, from), from, to);
    if (trouble !== null) return {key, ...left('not-taken', trouble)};
    const written = to?.ok === true ? to.row : null;
    const line: RowLine = {
      table: job.table,
      key,
      region,
      member,
      change,
      from,
      to: written,
      layer,
      why,
      ...timesOf(job, region, versions, row),
    };
    if (!isDeepStrictEqual(written, from)) lines.push(having.length > 0 && isSame(written, row) ? {...line, holders: having} : line);
  }
  if (lines.length === 0) return {key, ...left('not-taken', 'What it would be given is what it has.')};
  return {key, kind: 'writes', layer, why, lines};
}

/** Of a table that has no clocks of its own. What no region has yet is as new as the newest that it is made of. */
function timesOf({rule}: PageJob, region: string, versions: readonly RowVersion[], row: Columns | null): Pick<RowLine, 'toAt' | 'fromAt'> {
  if (rule?.hlc != null || rule?.vectorClock != null) return {};
  const having = versions.filter((version) => identityOf(version.row) === identityOf(row));
  const [toAt, fromAt] = [newestTime(having) ?? newestTime(versions), newestTime(versions.filter((version) => version.region === region))];
  return {...(toAt === null ? {} : {toAt}), ...(fromAt === null ? {} : {fromAt})};
}

const newestTime = (versions: readonly RowVersion[]): string | null => inOrder(versions.map(({committedAt}) => committedAt)).at(-1) ?? null;

/* Where a member prints the row otherwise than those that have it, it cannot be told by that text whether they still do. */
const isSame = (written: Columns | null, row: Columns | null): boolean => identityOf(written) === identityOf(row);

const printedOf = (printed: Printed, member: string, row: Columns | null): RowPrint | null =>
  row === null ? null : (printed.get(printId(member, row)) ?? null);

/** Why a member cannot have the row, or could not be given back the one that it has. */
function printTrouble(region: string, back: RowPrint | null, from: Columns | null, to: RowPrint | null): string | null {
  if (back?.ok === false) return `${region} could not be given its row back: ${sentence(back.reason)}`;
  if (back !== null && !isDeepStrictEqual({...back.row}, {...from}))
    return `${region} could not be given its row back: it would print otherwise.`;
  return to?.ok === false ? `${region} does not take the row: ${sentence(to.reason)}` : null;
}

/** A standby has what the member that it follows has: it gets the row from there. One that does not cannot be mended by rows. */
function standbyTrouble({standbys}: PageJob, region: string, versions: readonly RowVersion[]): string | null {
  const upstream = standbys.get(region) ?? null;
  const rowOf = (name: string): string => identityOf(versions.find((version) => version.region === name)?.row ?? null);
  if (upstream !== null && rowOf(upstream) === rowOf(region)) return null;
  return `${region} is a standby, and does not have what ${upstream ?? 'the member that it follows'} has: rebuild it.`;
}
