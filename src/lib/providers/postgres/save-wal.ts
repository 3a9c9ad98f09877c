import {open, rm} from 'node:fs/promises';
import {join} from 'node:path';
import type {Position} from '../../snapshot/position.ts';
import {only} from './cluster.ts';
import {keepFile, privateFolder} from './save-files.ts';
import type {SideSession} from './side-session.ts';
import {type Forks, historyName, segmentName} from './timeline.ts';
import {committedBy, multirange} from './wal-commits.ts';
import {WalError, type WalPages, walRecords} from './wal-records.ts';

const CHUNK = 1024 * 1024;

/** A stretch of a member's log: from where it left the other's history, to its own end. */
export type Stretch = {readonly epoch: number; readonly from: bigint; readonly forks: Forks; readonly end: Position};

/** What was kept of it. `gone` = segments that the server has removed already. */
export type KeptWal = {
  readonly files: readonly string[];
  readonly gone: readonly string[];
  /** The transactions that were committed in it, as an int8multirange of their ids; null = it could not be read to its end, and `why`. */
  readonly committed: string | null;
  readonly why: string | null;
};

type Sizes = {readonly segment: bigint; readonly page: number; readonly major: number};

const SIZES = `select pg_size_bytes(current_setting('wal_segment_size'))::text as "segment", current_setting('wal_block_size')::int as "page",
  current_setting('server_version_num')::int / 10000 as "major"`;

/** Copies the segments of the stretch into `dir`, whole, under their own names, with the history file of its timeline; then reads which transactions it commits. */
export async function keepWal(session: SideSession, stretch: Stretch, dir: string): Promise<KeptWal> {
  await privateFolder(dir);
  const read = only(await session.rows<{segment: string; page: number; major: number}>(SIZES), session.node);
  const sizes: Sizes = {...read, segment: BigInt(read.segment)};
  const there = new Set((await session.rows<{name: string}>('select name from pg_ls_waldir()')).map(({name}) => name));
  const wanted = namesOf(stretch, sizes.segment);
  const files: string[] = [];
  const gone: string[] = [];
  for (const name of wanted.segments) {
    if (there.has(name) && (await copy(session, name, join(dir, name), sizes.segment))) files.push(join(dir, name));
    else gone.push(name);
  }
  for (const name of wanted.histories)
    if (there.has(name) && (await copy(session, name, join(dir, name), BigInt(CHUNK)))) files.push(join(dir, name));
  return {files, gone, ...(await commitsIn(stretch, sizes, dir, gone))};
}

/** The segment in which a timeline ends is taken from the next one, whose file begins with a copy of it: the earlier one may be renamed. */
function namesOf({epoch, from, forks, end}: Stretch, size: bigint): {segments: readonly string[]; histories: readonly string[]} {
  const segments: string[] = [];
  const histories: string[] = [];
  for (const timeline of timelinesFrom(epoch, forks, end.epoch)) {
    const first = (timeline.epoch === epoch ? from : timeline.begin) / size;
    const behind = timeline.end === null ? (BigInt(end.offset) + size - 1n) / size : timeline.end / size;
    for (let segment = first; segment < behind; segment++) segments.push(segmentName(timeline.epoch, segment, size));
    if (timeline.epoch > 1) histories.push(historyName(timeline.epoch));
  }
  return {segments, histories};
}

type Timeline = {readonly epoch: number; readonly begin: bigint; readonly end: bigint | null};

function timelinesFrom(first: number, forks: Forks, last: number): readonly Timeline[] {
  const ends = [...forks].filter(([epoch]) => epoch < last).toSorted(([a], [b]) => a - b);
  const all: Timeline[] = ends.map(([epoch, end], index) => ({epoch, begin: ends[index - 1]?.[1] ?? 0n, end}));
  return [...all, {epoch: last, begin: ends.at(-1)?.[1] ?? 0n, end: null}].filter(({epoch}) => epoch >= first);
}

/** False when the server has removed it meanwhile. */
async function copy(session: SideSession, name: string, file: string, size: bigint): Promise<boolean> {
  const chunk = 'select pg_read_binary_file($1, $2::bigint, $3::bigint, true) as "bytes"';
  const first = only(await session.rows<{bytes: Buffer | null}>(chunk, [`pg_wal/${name}`, 0, CHUNK]), session.node);
  if (first.bytes === null) return false;
  const whole = await keepFile(file, async (handle) => {
    let {bytes} = first;
    for (let at = 0; bytes !== null && bytes.length > 0; ) {
      await handle.write(bytes, 0, bytes.length, at);
      at += bytes.length;
      if (at >= Number(size)) return true;
      ({bytes} = only(await session.rows<{bytes: Buffer | null}>(chunk, [`pg_wal/${name}`, at, CHUNK]), session.node));
    }
    return bytes !== null;
  });
  if (!whole) await rm(file);
  return whole;
}

/** Which transactions were committed behind the fork. Only a log without gaps can tell. */
async function commitsIn(
  stretch: Stretch,
  sizes: Sizes,
  dir: string,
  gone: readonly string[],
): Promise<Pick<KeptWal, 'committed' | 'why'>> {
  const [first] = gone;
  if (first !== undefined)
    return {committed: null, why: `the server has removed ${gone.length} segments of it already, the first is ${first}`};
  try {
    const committed: number[] = [];
    for await (const record of walRecords(pagesIn(stretch, sizes, dir), stretch.from, BigInt(stretch.end.offset), sizes.segment))
      committed.push(...committedBy(record, sizes.major));
    return {committed: multirange(committed), why: null};
  } catch (error) {
    if (!(error instanceof WalError || error instanceof RangeError)) throw error;
    return {committed: null, why: error.message};
  }
}

/** The pages of the copied files, those of the later timeline where two have a segment: it holds what the earlier one ended with. */
async function* pagesIn(stretch: Stretch, {segment: size, page}: Sizes, dir: string): WalPages {
  const timelines = timelinesFrom(stretch.epoch, stretch.forks, stretch.end.epoch);
  const end = BigInt(stretch.end.offset);
  for (let segment = stretch.from / size; segment * size < end; segment++) {
    const timeline = timelines.findLast(({begin, epoch}) => epoch === stretch.epoch || begin / size <= segment);
    const handle = await open(join(dir, segmentName(timeline?.epoch ?? stretch.epoch, segment, size)));
    try {
      const start = segment === stretch.from / size ? stretch.from - (stretch.from % BigInt(page)) : segment * size;
      for (let at = start; at < (segment + 1n) * size; at += BigInt(page)) {
        const {buffer, bytesRead} = await handle.read(Buffer.alloc(page), 0, page, Number(at % size));
        if (bytesRead < page) throw new WalError(`the file of segment ${segment} ends too early`);
        yield {at, page: buffer};
      }
    } finally {
      await handle.close();
    }
  }
}
