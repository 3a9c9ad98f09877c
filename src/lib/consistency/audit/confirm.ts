import type {AuditVersion, TableAudit} from '../../ports/audit.ts';
import {type Candidate, isSame} from './find-keys.ts';
import type {DivergentKey} from './model.ts';
import type {Readers} from './readers.ts';
import type {Settled} from './settle.ts';

/** What every region has of a key that is surely not the same everywhere. */
export type Versions = Readonly<Record<string, AuditVersion>>;

export type Confirmation = {
  readonly divergent: readonly DivergentKey[];
  /** Keys that were the same once replication had caught up. */
  readonly late: number;
  /** Keys that changed at every look, or whose changes never arrived. */
  readonly unsettled: number;
  /** Why some are unsettled, when that was replication. */
  readonly behind: string | null;
  /** What was waited for before differences were read again; null = there were none. */
  readonly basis: 'position' | 'none' | null;
};

export type ConfirmJob = {
  readonly table: TableAudit;
  readonly readers: Readers;
  readonly settle: () => Promise<Settled>;
  /** Columns whose values are needed whole. */
  readonly whole: readonly string[];
  /** What kind of divergence it is. Rows are not kept beyond that: there can be many, and they are somebody's data. */
  readonly judge: (key: string, versions: Versions) => DivergentKey;
  readonly signal: AbortSignal;
};

/** How often keys are read again, at most: one that was written to at each of them is a busy one. */
const LOOKS = 5;
/** Rows that are asked for at once, and hashes. */
const ROWS = 200;
const HASHES = 5000;

/**
 * Reads keys that differ again, after every region has what the others had at the look before. One that is the same by then was late. One that differs
 * and has not changed anywhere is a divergence: each region has what the others had, and did not take it. One that has changed is looked at again.
 */
export async function confirm(job: ConfirmJob, candidates: readonly Candidate[]): Promise<Confirmation> {
  let open = candidates;
  const divergent: DivergentKey[] = [];
  let late = 0;
  let basis: Confirmation['basis'] = null;
  for (let look = 1; look <= LOOKS && open.length > 0; look++) {
    const settled = await job.settle();
    if (settled.basis === 'behind') return {divergent, late, unsettled: open.length, behind: settled.reason, basis};
    basis = settled.basis;
    const looked = await lookOnce(job, open);
    divergent.push(...looked.divergent);
    late += looked.late;
    open = looked.changed;
  }
  return {divergent, late, unsettled: open.length, behind: null, basis};
}

type Looked = {readonly divergent: readonly DivergentKey[]; readonly late: number; readonly changed: readonly Candidate[]};

/** One look: by hashes first where there are many, since most of those are late. */
async function lookOnce(job: ConfirmJob, open: readonly Candidate[]): Promise<Looked> {
  const divergent: DivergentKey[] = [];
  const changed: Candidate[] = [];
  let late = 0;
  const sort = (before: Candidate, now: Candidate['hashes'], firm: () => void): void => {
    if (isSame(now)) late++;
    else if (isUnchanged(before, now)) firm();
    else changed.push({key: before.key, hashes: now});
  };
  const left: Candidate[] = [];
  for (const page of open.length > ROWS ? pagesOf(open, HASHES) : []) {
    for (const {before, now} of await hashesOf(job, page)) sort(before, now, () => left.push(before));
  }
  for (const page of pagesOf(open.length > ROWS ? left : open, ROWS)) {
    for (const {before, now, versions} of await versionsOf(job, page))
      sort(before, now, () => divergent.push({...job.judge(before.key, versions), hashes: now}));
  }
  return {divergent, late, changed};
}

/** Of regions that are still read. One that was lost meanwhile decides nothing. */
const isUnchanged = ({hashes}: Candidate, now: Candidate['hashes']): boolean =>
  Object.entries(now).every(([region, hash]) => hashes[region] === hash);

async function hashesOf({table, readers, signal}: ConfirmJob, page: readonly Candidate[]) {
  const keys = page.map(({key}) => key);
  const read = await readers.each(async (member) => {
    const rows = await table.hashes(member, keys, signal);
    return new Map(rows.map(({key, hash}) => [key, hash]));
  });
  return page.map((before) => ({before, now: Object.fromEntries(read.map(({of, value}) => [of.region, value.get(before.key) ?? null]))}));
}

async function versionsOf({table, readers, whole, signal}: ConfirmJob, page: readonly Candidate[]) {
  const keys = page.map(({key}) => key);
  const read = await readers.each((member) => table.versions(member, keys, whole, signal));
  return page.map((before, index) => {
    const versions = Object.fromEntries(read.flatMap(({of, value}) => (value[index] === undefined ? [] : [[of.region, value[index]]])));
    return {before, versions, now: Object.fromEntries(Object.entries(versions).map(([region, {hash}]) => [region, hash]))};
  });
}

function* pagesOf<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += size) yield all.slice(from, from + size);
}
