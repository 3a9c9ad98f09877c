import {messageOf} from '../errors.ts';
import type {Json} from '../plan/json.ts';

/** Counts the rows of one table on one member. Throws when it cannot. */
export type CountRows = (member: string, table: string) => Promise<bigint>;

/** Waits until the standbys have replayed what the primary held when it was called. Throws when they do not get there. */
export type AwaitReplay = () => Promise<void>;

/**
 * What came of one table. `moving`: it was written to all the time, so that no two counts are of the same moment; `unknown`: it could not be
 * counted, and `why` says so.
 */
export type CountedTable = {
  readonly table: string;
  readonly verdict: 'equal' | 'differs' | 'moving' | 'unknown';
  /** As counted last, as decimal strings; empty when it could not be counted. */
  readonly rows: Readonly<Record<string, string>>;
  readonly why: string | null;
};

/** One look: the primary is counted before and after the standbys, so that its writes in between show. */
export type Look = {readonly before: bigint; readonly after: bigint; readonly standbys: Readonly<Record<string, bigint>>};

export type CountJob = {
  readonly primary: string;
  readonly standbys: readonly string[];
  readonly count: CountRows;
  readonly awaitReplay: AwaitReplay;
};

/** A difference counts when it is there twice in a row while the primary stands still. */
const LOOKS = 4;

/** Counts one table everywhere, again as long as writes on their way could explain what differs. Never throws. */
export async function countTable(table: string, job: CountJob): Promise<CountedTable> {
  let [last, verdict, earlier]: [Look | null, LookVerdict, LookVerdict] = [null, 'moving', 'moving'];
  try {
    for (let look = 1; look <= LOOKS && verdict !== 'equal' && !(verdict === 'differs' && earlier === 'differs'); look++) {
      earlier = verdict;
      last = await lookAt(table, job);
      verdict = judgeLook(last);
    }
  } catch (error) {
    return {table, verdict: 'unknown', rows: {}, why: messageOf(error)};
  }
  // One look alone could have met a row that came and went.
  const confirmed = verdict === 'differs' && earlier !== 'differs' ? 'moving' : verdict;
  return {table, verdict: confirmed, rows: last === null ? {} : rowsOf(last, job.primary), why: null};
}

async function lookAt(table: string, {primary, standbys, count, awaitReplay}: CountJob): Promise<Look> {
  const before = await count(primary, table);
  await awaitReplay();
  const counted = await Promise.all(standbys.map(async (member) => [member, await count(member, table)] as const));
  return {before, standbys: Object.fromEntries(counted), after: await count(primary, table)};
}

/** What one look says of a table. */
export type LookVerdict = 'equal' | 'differs' | 'moving';

/**
 * Equal when every standby has what the primary had before or after, or, while rows came or went, something in between. A primary that stood
 * still explains no difference; one that did not explains any.
 */
export function judgeLook({before, after, standbys}: Look): LookVerdict {
  const [least, most] = before < after ? [before, after] : [after, before];
  const within = Object.values(standbys).every((rows) => rows >= least && rows <= most);
  if (within) return 'equal';
  return before === after ? 'differs' : 'moving';
}

function rowsOf({after, standbys}: Look, primary: string): Record<string, string> {
  return {[primary]: String(after), ...Object.fromEntries(Object.entries(standbys).map(([member, rows]) => [member, String(rows)]))};
}

/** One sentence on all tables: what is the same, and what was not compared and why. */
export function countsSay(store: string, members: readonly string[], tables: readonly CountedTable[]): string {
  const of = (verdict: CountedTable['verdict']) => tables.filter((each) => each.verdict === verdict);
  const [differ, equal, moving, unknown] = [of('differs'), of('equal'), of('moving'), of('unknown')];
  if (differ.length > 0) return `${store} does not have the same number of rows everywhere: ${differ.map(difference).join('; ')}`;
  const parts = [
    `${equal.length} of ${tables.length} ${tables.length === 1 ? 'table' : 'tables'} of ${store} have the same number of rows on ${members.join(', ')}`,
    ...(moving.length === 0 ? [] : [`${namesOf(moving)} changed too fast to be compared`]),
    ...(unknown.length === 0 ? [] : [`${namesOf(unknown)} could not be counted: ${unknown[0]?.why ?? 'unknown'}`]),
  ];
  return parts.join('; ');
}

function difference({table, rows}: CountedTable): string {
  const texts = Object.entries(rows).map(([member, count]) => `${count} on ${member}`);
  return `${table} has ${texts.join(', ')}`;
}

/** So many names of tables are told; the others are counted. */
const TOLD = 3;

function namesOf(tables: readonly CountedTable[]): string {
  const names = tables.slice(0, TOLD).map(({table}) => table);
  const more = tables.length - names.length;
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** A row count as a store answers it: a number, or a 64-bit one as text. Throws for anything else. */
export function rowCount(value: Json): bigint {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return BigInt(value);
  if (typeof value === 'string' && /^\d+$/.test(value)) return BigInt(value);
  throw new Error(`${JSON.stringify(value)} is no number of rows`);
}

/** Whether a name is a quoted one, as a server gives it: schema and table, each plain or in double quotes. Nothing else may stand in a query. */
export function isQuotedName(table: string): boolean {
  const part = '(?:[a-z_][a-z0-9_$]*|"(?:[^"\\0]|"")+")';
  return new RegExp(`^${part}\\.${part}$`, 'u').test(table);
}
