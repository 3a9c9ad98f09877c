import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {forkPoint, lsnText, parseHistory, segmentName, type Way} from '../../../src/lib/providers/postgres/timeline.ts';
import {committedBy, multirange} from '../../../src/lib/providers/postgres/wal-commits.ts';
import {WalError, type WalPages, type WalRecord, walRecords} from '../../../src/lib/providers/postgres/wal-records.ts';

const PAGE = 8192;
const SEGMENT = 4 * PAGE;
const [XLOG, XACT, HEAP] = [0, 1, 10];
const SWITCH = 0x40;

type Written = {readonly xid: number; readonly manager: number; readonly info: number; readonly body: number; readonly torn?: boolean};

/** Writes a log as the server does: records at multiples of eight, over page headers, a new segment after a switch. */
class Log {
  readonly bytes = Buffer.alloc(16 * SEGMENT);
  readonly places: number[] = [];
  end: number;
  #before = 0;

  constructor(from: number) {
    this.end = from;
    for (let at = 0; at < this.bytes.length; at += PAGE) {
      this.bytes.writeUInt16LE(at % SEGMENT === 0 ? 2 : 0, at + 2);
      this.bytes.writeBigUInt64LE(BigInt(at), at + 8);
    }
  }

  add({xid, manager, info, body, torn = false}: Written): void {
    const record = Buffer.alloc(24 + body, 0xab);
    record.writeUInt32LE(record.length, 0);
    record.writeUInt32LE(xid, 4);
    record.writeBigUInt64LE(BigInt(this.#before), 8);
    record.writeUInt8(info, 16);
    record.writeUInt8(manager, 17);
    const at = this.#skipHeader(this.end);
    let pos = at;
    for (let done = 0; done < record.length; ) {
      if (pos % PAGE === 0) {
        // A crash: the next record begins on the page where this one would have gone on.
        if (torn && done > 0) {
          this.end = pos;
          return;
        }
        if (done > 0) this.bytes.writeUInt16LE(this.bytes.readUInt16LE(pos + 2) | 1, pos + 2);
        pos = this.#skipHeader(pos);
      }
      const piece = record.subarray(done, done + Math.min(record.length - done, PAGE - (pos % PAGE)));
      piece.copy(this.bytes, pos);
      done += piece.length;
      pos += piece.length;
    }
    this.places.push(at);
    this.#before = at;
    this.end = manager === XLOG && info === SWITCH ? Math.ceil(pos / SEGMENT) * SEGMENT : Math.ceil(pos / 8) * 8;
  }

  #skipHeader(pos: number): number {
    return pos % PAGE === 0 ? pos + (pos % SEGMENT === 0 ? 40 : 24) : pos;
  }

  async *pages(from: number, to = this.bytes.length): WalPages {
    for (let at = from - (from % PAGE); at < to; at += PAGE) yield {at: BigInt(at), page: this.bytes.subarray(at, at + PAGE)};
  }
}

async function read(log: Log, from: number, end = log.end, to?: number): Promise<WalRecord[]> {
  const records: WalRecord[] = [];
  for await (const record of walRecords(log.pages(from, to), BigInt(from), BigInt(end), BigInt(SEGMENT))) records.push(record);
  return records;
}

describe('reading a log', () => {
  const record = fc.record({
    xid: fc.integer({min: 0, max: 2 ** 32 - 1}),
    manager: fc.constantFrom(XLOG, XACT, HEAP),
    info: fc.constantFrom(0, 0x30, SWITCH),
    body: fc.oneof(fc.integer({min: 0, max: 300}), fc.integer({min: 0, max: 2 * PAGE})),
    torn: fc.boolean(),
  });

  it('finds every record where it is, over pages, segments, switches and crashes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(record, {minLength: 1, maxLength: 25}), fc.integer({min: 1, max: 500}), async (wanted, first) => {
        const from = PAGE + 24 + first * 8;
        const log = new Log(from);
        const whole: Written[] = [];
        for (const each of wanted) {
          const before = log.places.length;
          log.add(each);
          if (log.places.length > before) whole.push(each);
        }
        // A torn record at the end is not there yet.
        log.add({xid: 7, manager: HEAP, info: 0, body: 8});
        const records = await read(log, from);
        expect(records.map(({at}) => Number(at))).toEqual(log.places);
        expect(records.slice(0, -1).map(({xid, manager, info}) => [xid, manager, info])).toEqual(
          whole.map(({xid, manager, info}) => [xid, manager, info]),
        );
        for (const [index, {manager, bytes}] of records.slice(0, -1).entries())
          if (manager === XACT) expect(bytes.length).toBe(24 + (whole[index]?.body ?? 0));
      }),
      {numRuns: 300},
    );
  });

  it('says so when it does not reach the end, or meets something else', async () => {
    const from = PAGE + 24;
    const log = new Log(from);
    for (let index = 0; index < 50; index++) log.add({xid: index, manager: HEAP, info: 0, body: 1000});
    const last = log.places.at(-1) ?? 0;
    await expect(read(log, from, log.end, last - (last % PAGE))).rejects.toThrow(WalError);
    await expect(read(log, from, log.end + 8)).rejects.toThrow(/no record/);
    const third = log.places[2] ?? 0;
    log.bytes.writeBigUInt64LE(1n, third + 8);
    await expect(read(log, from)).rejects.toThrow(`there is no record of the log at ${third}`);
    log.bytes.writeBigUInt64LE(7n, 2 * PAGE + 8);
    await expect(read(log, from, third)).resolves.toHaveLength(2);
    await expect(read(log, 2 * PAGE + 24)).rejects.toThrow(/no page/);
  });
});

describe('what a record commits', () => {
  const u32 = (...numbers: number[]): Buffer => {
    const buffer = Buffer.alloc(numbers.length * 4);
    for (const [index, number] of numbers.entries()) buffer.writeUInt32LE(number, index * 4);
    return buffer;
  };
  const commit = (info: number, data: Buffer, xid = 100, prefix = Buffer.alloc(0)): WalRecord => {
    const size = data.length < 256 ? Buffer.from([255, data.length]) : Buffer.concat([Buffer.from([254]), u32(data.length)]);
    return {at: 0n, xid, manager: XACT, info, bytes: Buffer.concat([Buffer.alloc(24), prefix, size, data])};
  };
  const time = Buffer.alloc(8);

  it('is its transaction and those below it, or the prepared one', () => {
    expect(committedBy(commit(0x00, time), 15)).toEqual([100]);
    expect(committedBy(commit(0x00, time, 100, Buffer.from([253, 1, 0, 252, 9, 0, 0, 0])), 15)).toEqual([100]);
    expect(committedBy(commit(0x80, Buffer.concat([time, u32(1 | 2, 5, 1663, 2, 101, 4_294_967_295)])), 15)).toEqual([
      100, 101, 4_294_967_295,
    ]);
    for (const [major, item] of [
      [15, 3],
      [17, 3],
      [18, 4],
    ] as const) {
      const stats = [2, ...Array.from({length: 2 * item}, () => 9)];
      const rest = [1, 1, 1, 1, ...stats, 1, 1, 1, 1, 1, 77];
      expect(committedBy(commit(0x80 | 0x30, Buffer.concat([time, u32(2 | 4 | 8 | 16 | 256, 1, 78, ...rest)]), 0), major)).toEqual([
        77, 78,
      ]);
    }
    const many = Array.from({length: 300}, (_, index) => index + 1);
    expect(committedBy(commit(0x80, Buffer.concat([time, u32(2, 300, ...many)])), 15)).toEqual([100, ...many]);
  });

  it('is nothing for what is no commit, and not guessed for what cannot be read', () => {
    for (const info of [0x10, 0x20, 0x40, 0x50, 0x60]) expect(committedBy(commit(info, time), 15)).toEqual([]);
    expect(committedBy({...commit(0x00, time), manager: HEAP}, 15)).toEqual([]);
    expect(committedBy(commit(0x00, time, 0), 15)).toEqual([]);
    expect(() => committedBy(commit(0x00, time, 1, Buffer.from([5])), 15)).toThrow(WalError);
    expect(() => committedBy(commit(0x80, Buffer.concat([time, u32(2, 40, 1)])), 15)).toThrow(RangeError);
  });

  it('is written as ranges', () => {
    expect(multirange([])).toBe('{}');
    expect(multirange([5, 4, 9, 5, 6])).toBe('{[4,7),[9,10)}');
  });
});

describe('where two members parted', () => {
  const way = (epoch: number, offset: number, ends: readonly [number, number][] = [], lineage = '7'): Way => ({
    forks: new Map(ends.map(([timeline, end]) => [timeline, BigInt(end)])),
    position: {lineage, epoch, offset: String(offset)},
  });

  it.each<[string, Way, Way, {epoch: number; offset: bigint} | null]>([
    ['the old primary went on', way(1, 500), way(2, 900, [[1, 300]]), {epoch: 1, offset: 300n}],
    ['the old primary had stopped', way(1, 200), way(2, 900, [[1, 300]]), {epoch: 1, offset: 200n}],
    ['a standby behind', way(2, 400, [[1, 300]]), way(2, 900, [[1, 300]]), {epoch: 2, offset: 400n}],
    ['both were promoted', way(3, 800, [[1, 250]]), way(2, 900, [[1, 300]]), {epoch: 1, offset: 250n}],
    [
      'two failovers ago',
      way(1, 500),
      way(3, 900, [
        [1, 300],
        [2, 600],
      ]),
      {epoch: 1, offset: 300n},
    ],
    [
      'on the second of three',
      way(2, 700, [[1, 300]]),
      way(3, 900, [
        [1, 300],
        [2, 600],
      ]),
      {epoch: 2, offset: 600n},
    ],
    [
      'a number is left out',
      way(4, 800, [
        [1, 300],
        [2, 500],
      ]),
      way(3, 900, [
        [1, 300],
        [2, 600],
      ]),
      {epoch: 2, offset: 500n},
    ],
    ['another system', way(1, 500, [], '8'), way(1, 500), null],
    ['no history is to be had', way(3, 500), way(2, 900, [[1, 300]]), null],
  ])('%s', (_, own, other, fork) => {
    expect(forkPoint(own, other)).toEqual(fork);
    expect(forkPoint(other, own)).toEqual(fork);
  });

  it('is read out of history files, and written as PostgreSQL does', () => {
    expect(
      forkPoint(way(1, 0x3000100), {...way(2, 0x3000200), forks: parseHistory('1\t0/3000060\tno recovery target specified\n')}),
    ).toEqual({
      epoch: 1,
      offset: 0x3000060n,
    });
    expect(lsnText(0x16_b374_d848n)).toBe('16/B374D848');
    expect(segmentName(1, 0x16_b374_d848n / 0x1000000n, 0x1000000n)).toBe('0000000100000016000000B3');
    expect(segmentName(26, 4097n, 0x100000n)).toBe('0000001A0000000100000001');
  });
});
