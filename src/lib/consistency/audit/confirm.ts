import type {AuditVersion, TableAudit} from '../../ports/audit.ts';
import {type Candidate, isSame} from './find-keys.ts';
import type {DivergentKey} from './model.ts';
import type {Readers} from './readers.ts';
import type {Settled} from './settle.ts';

/** What every region has of a key that is surely not the same everywhere. */
export type Versions = Readonly<Record<string, AuditVersion>>;

/** What is known of the keys of a table so far. It grows while they are looked at, so that what was found out stays when a region is lost. */
export type Tally = {
  readonly divergent: DivergentKey[];
  /** Keys that were the same once replication had caught up. */
  late: number;
  /** Keys that changed at every look, or whose changes never arrived, or that cannot be compared with a region that was lost. */
  unsettled: number;
  /** Rows in chunks that differ and were not looked into, and keys that were not looked at to the end because enough of them diverge. */
  unexamined: number;
  /** Why some are unsettled, when that was replication. */
  behind: string | null;
};

export const newTally = (): Tally => ({divergent: [], late: 0, unsettled: 0, unexamined: 0, behind: null});

export type ConfirmJob = {
  readonly table: TableAudit;
  readonly readers: Readers;
  readonly settle: () => Promise<Settled>;
  /** Columns whose values are needed whole. */
  readonly whole: readonly string[];
  /** What kind of divergence it is. Rows are not kept beyond that: there can be many, and they are somebody's data. */
  readonly judge: (key: string, versions: Versions) => DivergentKey;
  /** Most keys that are listed: when there are more than these, what else differs is not judged. */
  readonly limit: number;
  readonly signal: AbortSignal;
};

/** How often keys are read again, at most: one that was written to at each of them is a busy one. */
const LOOKS = 6;
/** Rows that are asked for at once, and hashes. */
const ROWS = 200;
const HASHES = 2000;

/** A key with what it was at the last look. `stood` = at so many looks since it was as it is. */
type Open = Candidate & {readonly stood: number};

/**
 * Reads keys that differ again, after every region has what the others had at the look before. One that is the same by then was late. One that differs
 * and that no region has written to since is a divergence: each has what the others had, and did not take it. One that has changed is looked at again.
 */
export async function confirm(job: ConfirmJob, candidates: readonly Candidate[], tally: Tally): Promise<void> {
  const before = decided(tally);
  try {
    let open: readonly Open[] = candidates.map((candidate) => ({...candidate, stood: 0}));
    for (let look = 1; look <= LOOKS && open.length > 0; look++) {
      const settled = await job.settle();
      if (settled.basis === 'behind') {
        tally.behind = settled.reason;
        return;
      }
      open = await lookOnce(job, open, tally);
    }
  } finally {
    // Also those of which a lost region took the answer with it.
    tally.unsettled += candidates.length - (decided(tally) - before);
  }
}

const decided = ({divergent, late, unsettled, unexamined}: Tally): number => divergent.length + late + unsettled + unexamined;

/** One look: by hashes first where there are many, since most of those are late. Answers what is to be looked at again. */
async function lookOnce(job: ConfirmJob, open: readonly Open[], tally: Tally): Promise<readonly Open[]> {
  const again: Open[] = [];
  const firm: Open[] = [];
  for (const page of open.length > ROWS ? pagesOf(open, HASHES) : []) {
    for (const {before, now} of await hashesOf(job, page)) if (sort(before, now, again, tally)) firm.push(before);
  }
  for (const page of pagesOf(open.length > ROWS ? firm : open, ROWS)) {
    if (tally.divergent.length > job.limit) {
      tally.unexamined += page.length;
      continue;
    }
    for (const {before, now, versions} of await versionsOf(job, page))
      if (sort(before, now, again, tally)) tally.divergent.push({...job.judge(before.key, versions), hashes: now.hashes});
  }
  return again;
}

/** Whether a key is surely divergent. What it is else is counted, or kept for another look. */
function sort(before: Open, now: Candidate, again: Open[], tally: Tally): boolean {
  if (isSame(now.hashes)) {
    // Those that are left agree. What the others have is not known.
    if (Object.keys(before.hashes).some((region) => now.hashes[region] === undefined)) tally.unsettled++;
    else tally.late++;
    return false;
  }
  const stood = isUnchanged(before, now) ? before.stood + 1 : 0;
  if (stood >= looksFor(now)) return true;
  again.push({...now, stood});
  return false;
}

/** Of regions that are still read. One that was lost meanwhile decides nothing. */
const isUnchanged = (before: Candidate, now: Candidate): boolean =>
  Object.entries(now.hashes).every(([region, hash]) => before.hashes[region] === hash && before.stamps[region] === now.stamps[region]);

/**
 * How often a key must be found as it was. A row with the stamp that it had was there all the time, so that the others got it. That a row is missing
 * tells nothing of the time between two looks: it may have come and been deleted again, and the deletion be on its way; after another look the others
 * have what there was at the last one. So with rows of engines without stamps, which can be seen there and back unless they do so once more.
 */
const looksFor = ({hashes, stamps}: Candidate): number => (Object.keys(hashes).every((region) => stamps[region] !== undefined) ? 1 : 2);

type Hashed = {readonly before: Open; readonly now: Candidate};

async function hashesOf({table, readers, signal}: ConfirmJob, page: readonly Open[]): Promise<readonly Hashed[]> {
  const keys = page.map(({key}) => key);
  const read = await readers.each(async (member) => {
    const rows = await table.hashes(member, keys, signal);
    return new Map(rows.map((row) => [row.key, row]));
  });
  return page.map((before) => ({
    before,
    now: toCandidate(
      before.key,
      read.map(({of, value}) => [of.region, value.get(before.key)] as const),
    ),
  }));
}

async function versionsOf(
  {table, readers, whole, signal}: ConfirmJob,
  page: readonly Open[],
): Promise<readonly (Hashed & {versions: Versions})[]> {
  const keys = page.map(({key}) => key);
  const read = await readers.each((member) => table.versions(member, keys, whole, signal));
  return page.map((before, index) => {
    const own = read.map(({of, value}) => [of.region, value[index]] as const);
    const versions = Object.fromEntries(own.flatMap(([region, version]) => (version === undefined ? [] : [[region, version]])));
    return {before, versions, now: toCandidate(before.key, own)};
  });
}

type Seen = {readonly hash: string | null; readonly stamp?: string} | undefined;

/** A key as regions have it; one that does not have it is undefined. */
export function toCandidate(key: string, seen: readonly (readonly [string, Seen])[]): Candidate {
  const hashes = Object.fromEntries(seen.map(([region, row]) => [region, row?.hash ?? null]));
  return {
    key,
    hashes,
    stamps: Object.fromEntries(seen.flatMap(([region, row]) => (row?.stamp === undefined ? [] : [[region, row.stamp]]))),
  };
}

function* pagesOf<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += size) yield all.slice(from, from + size);
}
