/** A server's error, as it said it. */
export class ServerError {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** One reply with the bytes as they came: lines as text, numbers as they were printed, lists of anything. */
export type Value = Buffer | string | null | ServerError | readonly Value[];

/** The longest text that is read in one piece. Only an element of a hash, set, sorted set, list or stream can be longer than what was asked for. */
export const LONGEST = 64 * 1024 * 1024;
/** A list with more elements than this was not asked for. */
const LONGEST_LIST = 16 * 1024 * 1024;
const DEEPEST = 8;

/** What was sent is no reply of Redis, or more than is read: `tooLong` = so many bytes in one text. */
export class NoReply extends Error {
  readonly tooLong: number | null;
  constructor(tooLong: number | null) {
    super('no reply');
    this.tooLong = tooLong;
  }
}

type List = {readonly values: Value[]; missing: number};
/** A text that has not come to its end: its pieces, and how many bytes of it and its end are missing. */
type Text = {readonly length: number; readonly pieces: Buffer[]; missing: number};

/**
 * Reads replies as their bytes come, and hands on each that is complete. Texts that lie in one piece of what came are parts of it, not copies, and keep
 * it in memory.
 */
export class ReplyParser {
  readonly #onReply: (value: Value) => void;
  readonly #lists: List[] = [];
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #text: Text | null = null;
  #line = '';

  constructor(onReply: (value: Value) => void) {
    this.#onReply = onReply;
  }

  /** Takes the bytes that follow. Throws NoReply; then nothing can be read any more. */
  read(chunk: Buffer): void {
    this.#bytes = this.#at < this.#bytes.length ? Buffer.concat([this.#bytes.subarray(this.#at), chunk]) : chunk;
    this.#at = 0;
    if (this.#text !== null && !this.#readOn(this.#text)) return;
    while (this.#at < this.#bytes.length && this.#readOne());
  }

  /** false = the rest of the reply has not come. */
  #readOne(): boolean {
    const [bytes, at] = [this.#bytes, this.#at];
    const end = bytes.indexOf(13, at);
    if (end === -1 || end + 1 >= bytes.length) return notYet(bytes.length - at);
    const sign = bytes[at];
    if (sign === 36) return this.#readText(numberIn(bytes, at + 1, end), end + 2);
    if (sign === 42) this.#readList(numberIn(bytes, at + 1, end), end + 2);
    else if (sign === 58 || sign === 43) this.#take(this.#lineOf(at + 1, end), end + 2);
    else if (sign === 45) this.#take(new ServerError(bytes.toString('latin1', at + 1, end)), end + 2);
    else throw new NoReply(null);
    return true;
  }

  /** Most lines say what the last one did, such as QUEUED: that is known sooner than another text is made of it. */
  #lineOf(from: number, to: number): string {
    const [last, bytes] = [this.#line, this.#bytes];
    let same = to - from === last.length ? 0 : -1;
    while (same >= 0 && same < last.length) same = bytes[from + same] === last.charCodeAt(same) ? same + 1 : -1;
    if (same === -1) this.#line = bytes.toString('latin1', from, to);
    return this.#line;
  }

  #readText(length: number, from: number): boolean {
    if (length > LONGEST) throw new NoReply(length);
    const to = from + length;
    if (length === -1) this.#take(null, from);
    else if (to + 2 <= this.#bytes.length) this.#take(this.#bytes.subarray(from, to), to + 2);
    else {
      const piece = this.#bytes.subarray(from);
      this.#at = this.#bytes.length;
      this.#text = {length, pieces: [piece], missing: length + 2 - piece.length};
      return false;
    }
    return true;
  }

  #readOn(text: Text): boolean {
    const piece = this.#bytes.subarray(this.#at, this.#at + text.missing);
    text.pieces.push(piece);
    text.missing -= piece.length;
    this.#at += piece.length;
    if (text.missing > 0) return false;
    this.#text = null;
    this.#take(Buffer.concat(text.pieces, text.length), this.#at);
    return true;
  }

  #readList(length: number, after: number): void {
    if (length > LONGEST_LIST || this.#lists.length >= DEEPEST) throw new NoReply(null);
    if (length <= 0) this.#take(length === -1 ? null : [], after);
    else {
      this.#at = after;
      this.#lists.push({values: [], missing: length});
    }
  }

  /** One value is complete, and with it perhaps the lists that it is in. */
  #take(value: Value, after: number): void {
    this.#at = after;
    let done = value;
    for (let list = this.#lists.at(-1); list !== undefined; list = this.#lists.at(-1)) {
      list.values.push(done);
      if (--list.missing > 0) return;
      this.#lists.pop();
      done = list.values;
    }
    this.#onReply(done);
  }
}

const LONGEST_LINE = 64 * 1024;

function notYet(waiting: number): false {
  if (waiting > LONGEST_LINE) throw new NoReply(null);
  return false;
}

/** A whole number in digits, or -1. */
function numberIn(bytes: Buffer, from: number, to: number): number {
  if (to - from > 12 || to <= from) throw new NoReply(null);
  if (bytes[from] === 45) {
    if (bytes[from + 1] === 49 && to - from === 2) return -1;
    throw new NoReply(null);
  }
  let number = 0;
  for (let index = from; index < to; index++) {
    const digit = (bytes[index] ?? 0) - 48;
    if (digit < 0 || digit > 9) throw new NoReply(null);
    number = number * 10 + digit;
  }
  return number;
}
