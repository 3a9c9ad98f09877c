import type {IncomingHttpHeaders} from 'node:http';

/** The head of an answer. Header names are in small letters. */
export type Head = {readonly statusCode: number; readonly headers: IncomingHttpHeaders};

/** How an answer's body ends: after so many bytes, by its last chunk, or with the connection. */
type Framing = {readonly kind: 'length'; left: number} | {readonly kind: 'chunked'; readonly chunks: Chunks} | {readonly kind: 'close'};

/** As long as Node's own reader allows. */
const HEAD_LIMIT = 16 * 1024;
const LINE_LIMIT = 16 * 1024;
const START = Buffer.from('HTTP/');
const VERSIONS: ReadonlySet<string> = new Set(['0.9', '1.0', '1.1', '2.0']);
/** Zeros may come before the size, blanks around the signs (RFC 9112 7.1.1; some servers pad the size with them). */
const CHUNK_SIZE =
  /^0*([0-9a-f]{1,16})[\t ]*(?:;[\t ]*[!#$%&'*+\-.^_`|~\w]+(?:[\t ]*=[\t ]*(?:[!#$%&'*+\-.^_`|~\w]+|"(?:[^"\\]|\\.)*"))?[\t ]*)*$/i;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Of these a second one is not heeded (as Node does). */
const ONCE: ReadonlySet<string> = new Set(
  'age authorization content-length content-type etag expires from host if-modified-since if-unmodified-since last-modified location max-forwards proxy-authorization referer retry-after server user-agent'.split(
    ' ',
  ),
);

/**
 * Reads one HTTP/1 answer to a GET out of the bytes of a connection, whatever their parts (RFC 9112). `feed` throws what is no such answer, with the symbol
 * that Node's own reader would give it. It is here because a client of Node's costs four times as much as the request, the answer and the connection.
 */
export class Http1Reader {
  #rest: Buffer | null = null;
  #skipped = 0;
  #framing: Framing | null = null;
  #isDone = false;
  readonly #onHead: (head: Head) => void;
  readonly #onBody: (bytes: Buffer) => void;

  constructor(onHead: (head: Head) => void, onBody: (bytes: Buffer) => void) {
    this.#onHead = onHead;
    this.#onBody = onBody;
  }

  /** Whether all of the answer has come. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Whether the end of the connection is the end of the answer. */
  get endsWithConnection(): boolean {
    return this.#framing?.kind === 'close';
  }

  /** Bytes that came. What comes after the end of the answer is left alone. */
  feed(bytes: Buffer): void {
    let left: Buffer | null = bytes;
    while (this.#framing === null && left !== null) left = this.#feedHead(left);
    if (left !== null && !this.#isDone) this.#feedBody(left);
  }

  /** The other side has said all. Throws where something is missing. */
  close(): void {
    if (this.#isDone) return;
    if (this.#framing?.kind !== 'close') throw broken('ECONNRESET', this.#framing === null ? 'it hung up' : 'the answer was cut off');
    this.#isDone = true;
  }

  /** What is left behind the head; null = it is not whole yet. */
  #feedHead(bytes: Buffer): Buffer | null {
    const all = this.#rest === null ? this.#withoutBlankLines(bytes) : Buffer.concat([this.#rest, bytes]);
    if (all.length === 0) return null;
    const known = Math.min(all.length, START.length);
    if (!all.subarray(0, known).equals(START.subarray(0, known))) throw broken('HPE_INVALID_CONSTANT', 'it is no HTTP');
    const end = endOfHead(all, Math.max(0, (this.#rest?.length ?? 0) - 3));
    if ((end?.text ?? all.length) > HEAD_LIMIT) throw broken('HPE_HEADER_OVERFLOW', 'its head is too long');
    if (end === null) {
      this.#rest = all;
      return null;
    }
    this.#rest = null;
    const head = parseHead(all.toString('latin1', 0, end.text));
    const left = all.subarray(end.body);
    // An interim answer comes before the real one.
    if (head.statusCode >= 100 && head.statusCode < 200 && head.statusCode !== 101) return left;
    this.#framing = framingOf(head);
    this.#isDone = this.#framing.kind === 'length' && this.#framing.left === 0;
    this.#onHead(head);
    return left;
  }

  /** Before a head line ends are skipped, as Node does, but not without an end. */
  #withoutBlankLines(bytes: Buffer): Buffer {
    let at = 0;
    while (bytes[at] === 10 || bytes[at] === 13) at += 1;
    this.#skipped += at;
    if (this.#skipped > HEAD_LIMIT) throw broken('HPE_HEADER_OVERFLOW', 'its head is too long');
    return at === 0 ? bytes : bytes.subarray(at);
  }

  #feedBody(bytes: Buffer): void {
    const framing = this.#framing as Framing;
    if (bytes.length === 0) return;
    if (framing.kind === 'close') this.#onBody(bytes);
    else if (framing.kind === 'chunked') this.#isDone = framing.chunks.feed(bytes, this.#onBody);
    else {
      const own = bytes.subarray(0, framing.left);
      framing.left -= own.length;
      this.#isDone = framing.left === 0;
      this.#onBody(own);
    }
  }
}

/** Where the text of a head ends, and where what follows it begins. A lone line feed ends a line, too. */
function endOfHead(bytes: Buffer, from: number): {text: number; body: number} | null {
  for (let at = bytes.indexOf(10, from); at !== -1; at = bytes.indexOf(10, at + 1)) {
    if (bytes[at + 1] === 10) return {text: at, body: at + 2};
    if (bytes[at + 1] === 13 && bytes[at + 2] === 10) return {text: at, body: at + 3};
  }
  return null;
}

function parseHead(text: string): Head {
  const [first = '', ...lines] = text.replace(/\r$/, '').split(/\r?\n/);
  const [, version = '', status] = /^HTTP\/(\S*) (\d{3})(?: .*)?$/.exec(first) ?? [];
  if (status === undefined) throw broken('HPE_INVALID_STATUS', 'its first line is no status');
  if (!VERSIONS.has(version)) throw broken('HPE_INVALID_VERSION', 'its version is none that is known');
  const headers: IncomingHttpHeaders = Object.create(null) as IncomingHttpHeaders;
  for (const line of unfolded(lines)) addHeader(headers, line);
  return {statusCode: Number(status), headers};
}

/** A line that begins with a blank goes on with the one before it. */
function unfolded(lines: readonly string[]): readonly string[] {
  const whole: string[] = [];
  for (const line of lines) {
    if (/^[ \t]/.test(line) && whole.length > 0) whole.push(`${whole.pop()} ${trimmed(line)}`);
    else whole.push(line);
  }
  return whole;
}

/** A line of a head or of the trailers, its name in small letters. */
function headerOf(line: string): {name: string; value: string} {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(0, colon)).toLowerCase();
  if (!TOKEN.test(name)) throw broken('HPE_INVALID_HEADER_TOKEN', 'one of its headers has no name');
  const value = trimmed(line.slice(colon + 1));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be in a header is looked for
  if (/[\0-\x08\x0A-\x1F\x7F]/.test(value))
    throw broken('HPE_INVALID_HEADER_TOKEN', `its header ${name} has characters that none may have`);
  return {name, value};
}

/** Without the blanks and tabs around it: what else looks like one belongs to the value. A pattern would begin anew at each blank within it. */
function trimmed(text: string): string {
  const isBlank = (at: number): boolean => text[at] === ' ' || text[at] === '\t';
  let [from, to] = [0, text.length];
  while (from < to && isBlank(from)) from += 1;
  while (to > from && isBlank(to - 1)) to -= 1;
  return text.slice(from, to);
}

function addHeader(headers: IncomingHttpHeaders, line: string): void {
  const {name, value} = headerOf(line);
  const before = headers[name];
  if (name === 'content-length' && before !== undefined) throw broken('HPE_UNEXPECTED_CONTENT_LENGTH', 'it tells its length twice');
  if (name === 'set-cookie') headers[name] = [...(headers['set-cookie'] ?? []), value];
  else if (before === undefined) headers[name] = value;
  else if (!ONCE.has(name)) headers[name] = `${before as string}, ${value}`;
}

function framingOf({statusCode, headers}: Head): Framing {
  const coding = headers['transfer-encoding'];
  const length = headers['content-length'];
  // What is wrong is wrong without a body, too.
  if (length !== undefined && (!/^\d+$/.test(length) || Number(length) >= 2 ** 64))
    throw broken('HPE_INVALID_CONTENT_LENGTH', 'the length that it tells is none');
  if (coding === '' || (coding !== undefined && length !== undefined))
    throw broken('HPE_INVALID_TRANSFER_ENCODING', 'it tells no coding, or a length beside it');
  if (statusCode === 101 || statusCode === 204 || statusCode === 304) return {kind: 'length', left: 0};
  if (coding !== undefined) {
    return /(^|,)\s*chunked$/i.test(coding) ? {kind: 'chunked', chunks: new Chunks()} : {kind: 'close'};
  }
  if (length === undefined) return {kind: 'close'};
  return {kind: 'length', left: Number(length)};
}

/** The chunks of a body: the size of each in a line of its own, a last one of size 0, trailers. */
class Chunks {
  #line = '';
  #left = 0;
  #expects: 'size' | 'data' | 'end of data' | 'trailer' = 'size';

  /** Gives what is data to `take`; true = that was all of it. */
  feed(bytes: Buffer, take: (bytes: Buffer) => void): boolean {
    let at = 0;
    while (at < bytes.length) {
      if (this.#expects === 'data') {
        const own = bytes.subarray(at, at + this.#left);
        at += own.length;
        this.#left -= own.length;
        if (this.#left === 0) this.#expects = 'end of data';
        take(own);
        continue;
      }
      const end = bytes.indexOf(10, at);
      this.#line += bytes.toString('latin1', at, end === -1 ? bytes.length : end);
      if (this.#line.length > LINE_LIMIT) throw broken('HPE_CHUNK_EXTENSIONS_OVERFLOW', 'a line between its chunks is too long');
      if (end === -1) return false;
      at = end + 1;
      const line = this.#line.replace(/\r$/, '');
      this.#line = '';
      if (this.#isLast(line)) return true;
    }
    return false;
  }

  #isLast(line: string): boolean {
    if (this.#expects === 'trailer') {
      // One that goes on with the line before has no name.
      if (line !== '' && !/^[\t ]/.test(line) && headerOf(line).name === 'content-length')
        throw broken('HPE_UNEXPECTED_CONTENT_LENGTH', 'it tells its length behind its chunks');
      return line === '';
    }
    if (this.#expects === 'end of data') {
      if (line !== '') throw broken('HPE_STRICT', 'a chunk is longer than it tells');
      this.#expects = 'size';
      return false;
    }
    const size = CHUNK_SIZE.exec(line)?.[1];
    if (size === undefined) throw broken('HPE_INVALID_CHUNK_SIZE', 'the size of a chunk is none');
    this.#left = Number.parseInt(size, 16);
    this.#expects = this.#left === 0 ? 'trailer' : 'data';
    return false;
  }
}

const broken = (code: string, says: string): Error => Object.assign(new Error(says), {code});
