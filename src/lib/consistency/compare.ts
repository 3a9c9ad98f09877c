import {isRegionctlError, messageOf} from '../errors.ts';
import type {Abilities} from '../ports/store.ts';
import type {Position} from '../snapshot/position.ts';

/** A key that is not the same everywhere. `missing`: those regions do not have it; `stale`: they have another row than the first region. */
export type Divergence = {readonly key: string; readonly class: 'missing' | 'stale'; readonly regions: readonly string[]};

/** One compared table. `rows` counts keys. `truncated` = more keys diverge than are listed. `code` and `error` = it could not be compared to its end. */
export type TableComparison = {
  readonly table: string;
  readonly rows: number;
  readonly divergent: readonly Divergence[];
  readonly truncated: boolean;
  readonly code: string | null;
  readonly error: string | null;
};

/** What was looked at and what was not: without it a verdict means nothing. */
export type Coverage = {
  readonly members: readonly string[];
  readonly tables: readonly string[];
  readonly rows: number;
  readonly skipped: readonly {readonly table: string; readonly reason: string}[];
};

export type Comparison = {
  /** `equal` only when every table was compared to its end on every member; nothing to compare = `unknown`. */
  readonly verdict: 'equal' | 'diverged' | 'unknown';
  readonly reason: string;
  /** The position that each region had at least replayed. */
  readonly asOf: Readonly<Record<string, Position>>;
  readonly tables: readonly TableComparison[];
  readonly coverage: Coverage;
};

/** A member and the region that it stands for. The first one is what the others are compared with. */
export type ComparedMember = {readonly member: string; readonly region: string};

/** What the comparison reads. */
export type Digest = Abilities['digest'];

/** At most so many divergent keys are listed for each table. */
const LISTED = 1000;

/** How a comparison is made. `latest`: the position to wait for at a second look (default: `at` again); `listed`: most keys named per table. */
export type CompareOptions = {readonly latest?: () => Promise<Position>; readonly listed?: number};

/**
 * Compares members row by row, at or past `at`. A table that differs is read again, up to four times, each time past all that was written by
 * then: only a key that differs twice in the same way is reported, since a write on its way is no divergence. Keys that change at every look
 * make the table unknown (`moving`). Throws only when it is cancelled.
 */
export async function compareMembers(
  digest: Digest,
  members: readonly ComparedMember[],
  at: Position,
  signal: AbortSignal,
  {latest = async () => at, listed = LISTED}: CompareOptions = {},
): Promise<Comparison> {
  const named = await nameTables(digest, members, signal);
  const tables: TableComparison[] = [];
  for (const table of named.tables) {
    const compared = await compareTable({digest, members, table, at, latest, signal, listed});
    tables.push(compared);
    // A member that does not reach the position would be waited for at every table.
    if (compared.code === 'not-caught-up') break;
  }
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const coverage = {members: members.map(({member}) => member), tables: tables.map(({table}) => table), rows, skipped: named.skipped};
  const asOf = Object.fromEntries(members.map(({region}) => [region, at]));
  return {...judge(tables, members, named.error, coverage), asOf, tables, coverage};
}

function judge(
  tables: readonly TableComparison[],
  members: readonly ComparedMember[],
  error: string | null,
  coverage: Coverage,
): Pick<Comparison, 'verdict' | 'reason'> {
  const divergent = tables.filter((table) => table.divergent.length > 0);
  if (divergent.length > 0)
    return {verdict: 'diverged', reason: `${divergent.map(({table}) => table).join(', ')} differ between ${regionsOf(members)}.`};
  const failed = tables.find((table) => table.error !== null)?.error ?? error;
  if (failed !== null) return {verdict: 'unknown', reason: failed};
  if (members.length < 2) return {verdict: 'unknown', reason: 'There are fewer than two members to compare.'};
  if (tables.length === 0) return {verdict: 'unknown', reason: 'There is no table with a primary key, so nothing was compared.'};
  const left = coverage.skipped.length === 0 ? '' : `, without ${coverage.skipped.map(({table}) => table).join(', ')}`;
  return {
    verdict: 'equal',
    reason: `${coverage.rows} rows in ${tables.length} ${tables.length === 1 ? 'table' : 'tables'} are the same in ${regionsOf(members)}${left}.`,
  };
}

type Named = {readonly tables: readonly string[]; readonly skipped: Coverage['skipped']; readonly error: string | null};

/** Every table that any member has: one that is missing somewhere is a finding, not a gap. */
async function nameTables(digest: Digest, members: readonly ComparedMember[], signal: AbortSignal): Promise<Named> {
  try {
    const keyed = await Promise.all(members.map(({member}) => digest.tables(member, signal)));
    const left = await Promise.all(members.map(async ({member}) => (await digest.skipped?.(member, signal)) ?? []));
    const skipped = [...new Set(left.flat())].toSorted().map((table) => ({table, reason: 'it has no primary key'}));
    return {tables: [...new Set(keyed.flat())].toSorted(), skipped, error: null};
  } catch (error) {
    signal.throwIfAborted();
    return {tables: [], skipped: [], error: messageOf(error)};
  }
}

type TableJob = {
  readonly digest: Digest;
  readonly members: readonly ComparedMember[];
  readonly table: string;
  readonly at: Position;
  readonly latest: () => Promise<Position>;
  readonly signal: AbortSignal;
  readonly listed: number;
};

/** A key that differs, with what every member has of it: the same twice means that it stands still. */
type Found = Divergence & {readonly sums: string};
type Look = Omit<TableComparison, 'divergent'> & {readonly found: readonly Found[]};

const LOOKS = 4;

async function compareTable(job: TableJob): Promise<TableComparison> {
  let last = await mergeTable(job);
  for (let look = 2; look <= LOOKS && last.found.length > 0 && last.error === null; look++) {
    const next = await lookAgain(job, last);
    // With a list that was cut the second reading may list other keys; it stands by itself then.
    if (last.truncated || next.truncated || next.error !== null) return judged(next, next.found);
    const before = new Map(last.found.map((each) => [nameOf(each), each.sums]));
    const again = next.found.filter((each) => before.has(nameOf(each)));
    const firm = again.filter((each) => before.get(nameOf(each)) === each.sums);
    if (firm.length > 0) return judged(next, firm);
    last = {...next, found: again};
  }
  if (last.found.length === 0 || last.error !== null) return judged(last, last.found);
  const says = `${last.found.length} rows changed at each of ${LOOKS} looks, so it is not known whether they are the same`;
  return {...judged(last, []), code: 'moving', error: `${job.table}: ${says}`};
}

/** Past all that the first look can have met. A position that cannot be read is a failure of this table, like any other. */
async function lookAgain(job: TableJob, last: Look): Promise<Look> {
  try {
    return await mergeTable({...job, at: await job.latest()});
  } catch (error) {
    job.signal.throwIfAborted();
    return failedLook(job.table, last, error);
  }
}

const nameOf = ({key, class: kind, regions}: Found): string => JSON.stringify([key, kind, regions]);

function judged({found: _, ...look}: Look, divergent: readonly Found[]): TableComparison {
  return {...look, divergent: divergent.map(({sums: __, ...each}) => each)};
}

function failedLook(table: string, {rows, truncated}: Pick<Look, 'rows' | 'truncated'>, error: unknown): Look {
  const code = isRegionctlError(error) ? error.code : 'error';
  return {table, rows, found: [], truncated, code, error: `${table}: ${messageOf(error)}`};
}

type Head = {readonly key: string; readonly sum: string} | null;

/** Reads all members side by side, ordered by key: the smallest key is judged, and whoever had it goes on. */
async function mergeTable({digest, members, table, at, signal, listed}: TableJob): Promise<Look> {
  const streams = members.map(({member}) => digest.rows(member, table, at, signal)[Symbol.asyncIterator]());
  const found: Found[] = [];
  let [rows, truncated] = [0, false];
  const next = async (index: number): Promise<Head> => {
    const step = await streams[index]?.next();
    return step === undefined || step.done === true ? null : step.value;
  };
  try {
    let heads = await Promise.all(streams.map((_, index) => next(index)));
    for (let key = smallest(heads); key !== null; key = smallest(heads)) {
      rows++;
      const differs = judgeKey(key, heads, members);
      truncated ||= found.length + differs.length > listed;
      if (!truncated) found.push(...differs);
      heads = await Promise.all(heads.map((head, index) => (head?.key === key ? next(index) : head)));
    }
    return {table, rows, found, truncated, code: null, error: null};
  } catch (error) {
    signal.throwIfAborted();
    return failedLook(table, {rows, truncated}, error);
  } finally {
    await Promise.all(streams.map((stream) => stream.return?.().catch(() => undefined)));
  }
}

function judgeKey(key: string, heads: readonly Head[], members: readonly ComparedMember[]): Found[] {
  const sums = members.map(({region}, index) => ({region, sum: heads[index]?.key === key ? (heads[index]?.sum ?? null) : null}));
  const reference = sums.find(({sum}) => sum !== null)?.sum;
  const missing = sums.filter(({sum}) => sum === null).map(({region}) => region);
  const stale = sums.filter(({sum}) => sum !== null && sum !== reference).map(({region}) => region);
  const all = JSON.stringify(sums.map(({sum}) => sum));
  const found: Found[] = [];
  if (missing.length > 0) found.push({key, class: 'missing', regions: missing, sums: all});
  if (stale.length > 0) found.push({key, class: 'stale', regions: stale, sums: all});
  return found;
}

function smallest(heads: readonly Head[]): string | null {
  return heads.reduce<string | null>(
    (least, head) => (head !== null && (least === null || byBytes(head.key, least) < 0) ? head.key : least),
    null,
  );
}

/** As the servers order: by the bytes of UTF-8, which differs from JavaScript's order beyond the basic plane. */
const byBytes = (a: string, b: string): number => (a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b)));

const regionsOf = (members: readonly ComparedMember[]): string => members.map(({region}) => region).join(', ');
