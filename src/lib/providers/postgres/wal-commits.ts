import {WalError, type WalRecord} from './wal-records.ts';

const MANAGER_XACT = 1;
const COMMIT = 0x00;
const COMMIT_PREPARED = 0x30;
const HAS_INFO = 0x80;
/* What a commit record may hold, in this order. */
const DATABASE = 1 << 0;
const SUBTRANSACTIONS = 1 << 1;
const FILES = 1 << 2;
const INVALIDATIONS = 1 << 3;
const PREPARED = 1 << 4;
const STATISTICS = 1 << 8;

/** The transactions that a record commits, with their subtransactions. PostgreSQL 15 to 18; `major` tells how a dropped statistic is written. */
export function committedBy(record: WalRecord, major: number): readonly number[] {
  if (record.manager !== MANAGER_XACT) return [];
  const kind = record.info & 0x70;
  if (kind !== COMMIT && kind !== COMMIT_PREPARED) return [];
  const {subtransactions, prepared} = readCommit(mainData(record), (record.info & HAS_INFO) !== 0, major);
  const own = kind === COMMIT ? record.xid : prepared;
  return [own, ...subtransactions].filter((xid) => xid !== 0);
}

/** What a record says of itself, behind its header and its origin. Blocks have no place in a commit. */
function mainData({bytes, at}: WalRecord): Buffer {
  let pos = 24;
  for (;;) {
    const id = bytes[pos];
    if (id === 253) pos += 3;
    else if (id === 252) pos += 5;
    else if (id === 255) return bytes.subarray(pos + 2);
    else if (id === 254) return bytes.subarray(pos + 5);
    else throw new WalError(`the commit at ${at} cannot be read`);
  }
}

function readCommit(data: Buffer, hasInfo: boolean, major: number): {subtransactions: readonly number[]; prepared: number} {
  const info = hasInfo ? data.readUInt32LE(8) : 0;
  let pos = 12;
  /** Jumps over a list: its length, then items of `size` bytes. Answers where the items begin. */
  const list = (size: number): number => {
    const items = pos + 4;
    pos = items + data.readInt32LE(pos) * size;
    return items;
  };
  if (info & DATABASE) pos += 8;
  const subtransactions: number[] = [];
  if (info & SUBTRANSACTIONS) for (let at = list(4); at < pos; at += 4) subtransactions.push(data.readUInt32LE(at));
  if (info & FILES) list(12);
  if (info & STATISTICS) list(major >= 18 ? 16 : 12);
  if (info & INVALIDATIONS) list(16);
  return {subtransactions, prepared: info & PREPARED ? data.readUInt32LE(pos) : 0};
}

/** Numbers as an int8multirange: neighbours are one range. */
export function multirange(numbers: Iterable<number>): string {
  const ranges: [number, number][] = [];
  for (const number of [...new Set(numbers)].toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === number) last[1] = number + 1;
    else ranges.push([number, number + 1]);
  }
  return `{${ranges.map(([from, to]) => `[${from},${to})`).join(',')}}`;
}
