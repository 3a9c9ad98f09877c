/** One record of the log: where it begins, its transaction, and its body when it was asked for. */
export type WalRecord = {
  readonly at: bigint;
  readonly xid: number;
  readonly manager: number;
  readonly info: number;
  readonly bytes: Buffer;
};

/** Reads whole pages of the log, in order, from the page that `from` is on. */
export type WalPages = AsyncIterable<{readonly at: bigint; readonly page: Buffer}>;

const HEADER = 24;
const PAGE_HEADER = 24;
const LONG_PAGE_HEADER = 40;
const FIRST_IS_CONTINUATION = 0x0001;
const LONG_HEADER = 0x0002;
const MANAGER_XLOG = 0;
const XLOG_SWITCH = 0x40;
/** Bodies of other resource managers are skipped as they come: a record may be as large as a gigabyte. */
const MANAGER_XACT = 1;
const LARGEST_BODY = 64 * 1024 * 1024;

/** Why the log could not be read to its end. */
export class WalError extends Error {}

type Pending = {readonly at: bigint; head: Buffer; left: number; total: number};

/** Where the reading stands: where the next record begins, where the last one did, and one that goes on on the next page. */
type Reading = {readonly segmentSize: bigint; readonly end: bigint; next: bigint; before: bigint | null; pending: Pending | null};

/**
 * The records from `from`, where one begins, up to `end`; of transactions with their body, of others the header alone. Each must name the one
 * before it: what is left over from a former use of the file is not taken for a record. Throws WalError when it does not reach `end`.
 */
export async function* walRecords(pages: WalPages, from: bigint, end: bigint, segmentSize: bigint): AsyncGenerator<WalRecord> {
  const reading: Reading = {segmentSize, end, next: from, before: null, pending: null};
  for await (const {at, page} of pages) {
    yield* recordsOn(page, at, reading);
    if (reading.next >= end) return;
  }
  throw new WalError(`the log was not there up to ${end}`);
}

function* recordsOn(page: Buffer, at: bigint, reading: Reading): Generator<WalRecord> {
  // Behind a switch the rest of a segment holds nothing.
  if (reading.pending === null && reading.next >= at + BigInt(page.length)) return;
  const head = pageHeader(page, at);
  // Only after a crash in the middle of a record: it is not gone on with, and the next one begins here.
  if (!head.continues) reading.pending = null;
  let pos = reading.pending === null ? Math.max(head.size, Number(reading.next - at)) : head.size;
  while (pos < page.length && reading.next < reading.end) {
    reading.pending ??= {at: at + BigInt(pos), head: Buffer.alloc(0), left: HEADER, total: 0};
    const {pending} = reading;
    pos += take(pending, page.subarray(pos));
    if (pending.left === 0 && pending.total === 0) open(pending, reading.before);
    if (pending.left > 0 || pending.total === 0) continue;
    const record = recordOf(pending);
    reading.before = record.at;
    reading.next = after(record, at + BigInt(pos), reading.segmentSize);
    reading.pending = null;
    yield record;
    pos = Number(reading.next - at);
  }
}

function pageHeader(page: Buffer, at: bigint): {size: number; continues: boolean} {
  if (page.length < LONG_PAGE_HEADER || page.readBigUInt64LE(8) !== at) throw new WalError(`there is no page of the log at ${at}`);
  const flags = page.readUInt16LE(2);
  return {size: flags & LONG_HEADER ? LONG_PAGE_HEADER : PAGE_HEADER, continues: (flags & FIRST_IS_CONTINUATION) !== 0};
}

/** Takes what the record still lacks. Answers how much of `rest` that was. */
function take(pending: Pending, rest: Buffer): number {
  const taken = rest.subarray(0, pending.left);
  const wanted = pending.total === 0 || keepsBody(pending.head);
  if (wanted) pending.head = Buffer.concat([pending.head, taken]);
  pending.left -= taken.length;
  return taken.length;
}

/** The header is complete: how long the record is, and whether it is one at all. */
function open(pending: Pending, before: bigint | null): void {
  const total = pending.head.readUInt32LE(0);
  const previous = pending.head.readBigUInt64LE(8);
  if (total < HEADER || (before !== null && previous !== before)) throw new WalError(`there is no record of the log at ${pending.at}`);
  if (keepsBody(pending.head) && total > LARGEST_BODY) throw new WalError(`the record at ${pending.at} has ${total} bytes`);
  pending.total = total;
  pending.left = total - HEADER;
}

const keepsBody = (head: Buffer): boolean => head.readUInt8(17) === MANAGER_XACT;

function recordOf({at, head}: Pending): WalRecord {
  return {at, xid: head.readUInt32LE(4), manager: head.readUInt8(17), info: head.readUInt8(16), bytes: head};
}

/** Records begin at multiples of eight bytes; after a switch, with the next segment. */
function after({manager, info}: WalRecord, end: bigint, segmentSize: bigint): bigint {
  if (manager === MANAGER_XLOG && (info & 0xf0) === XLOG_SWITCH) return ((end + segmentSize - 1n) / segmentSize) * segmentSize;
  return (end + 7n) & ~7n;
}
