/** One reply of a server: a line or a text that it sent, an error, or something that is no reply at all. `list` and `nothing` only where lists are read. */
export type Reply =
  | {readonly kind: 'line' | 'text' | 'error'; readonly text: string}
  | {readonly kind: 'list'; readonly texts: readonly string[]}
  | {readonly kind: 'nothing'}
  | {readonly kind: 'garbage'; readonly bytes: number};

/** Where numbers are read too, in lists as well. */
export type AnyReply = Reply | {readonly kind: 'number'; readonly text: string};

/** More than this in one reply is not read. INFO has some 5 KB, and a line for each database, standby and module. */
const LONGEST = 1024 * 1024;
const LONGEST_LINE = 4 * 1024;
/** A list of more than so many texts is not read. What CONFIG GET and SENTINEL MASTER answer has some 60. */
const LONGEST_LIST = 1000;
const END = '\r\n';

/** A command as the server reads it: names and secrets in it may hold anything. */
export function encode(words: readonly string[]): string {
  return [`*${words.length}`, ...words.flatMap((word) => [`$${Buffer.byteLength(word)}`, word]), ''].join(END);
}

/**
 * The replies in what a server sends, as they come. After garbage nothing follows: nobody knows where the next one would begin. Only the three
 * kinds are understood that AUTH and INFO are answered with; with `lists` (default false) also lists of texts, and that there is nothing.
 */
export async function* repliesIn(
  chunks: AsyncIterable<Buffer>,
  {lists = false}: {readonly lists?: boolean} = {},
): AsyncGenerator<Reply, undefined> {
  const readReply = lists ? (bytes: Buffer) => readAny(bytes) : readOne;
  let bytes = Buffer.alloc(0);
  for await (const chunk of chunks) {
    bytes = Buffer.concat([bytes, chunk]);
    for (let read = readReply(bytes); read !== null; read = readReply(bytes)) {
      yield read.reply;
      if (read.reply.kind === 'garbage') return undefined;
      bytes = bytes.subarray(read.length);
    }
  }
  return undefined;
}

/** One reply, and how many bytes it took. */
export type Read<R = Reply> = {readonly reply: R; readonly length: number};

/** The reply at the beginning of `bytes`, numbers and lists of numbers too; null = it has not come to its end yet. */
export function replyAt(bytes: Buffer): Read<AnyReply> | null {
  return bytes.toString('latin1', 0, 1) === ':' ? readNumber(bytes) : readAny(bytes, readElement);
}

/** As `readOne`, and numbers. */
const readElement = (bytes: Buffer): Read<AnyReply> | null => (bytes.toString('latin1', 0, 1) === ':' ? readNumber(bytes) : readOne(bytes));

function readNumber(bytes: Buffer): Read<AnyReply> | null {
  const end = bytes.subarray(0, LONGEST_LINE).indexOf(END);
  if (end === -1) return bytes.length < LONGEST_LINE ? null : garbage(bytes);
  const text = bytes.toString('latin1', 1, end);
  return /^-?\d{1,19}$/.test(text) ? {reply: {kind: 'number', text}, length: end + END.length} : garbage(bytes);
}

/** Of lists only those are understood that hold texts and nothing else. */
function readAny(bytes: Buffer, readEach: (bytes: Buffer) => Read<AnyReply> | null = readOne): Read | null {
  const [sign] = bytes.toString('latin1', 0, 1);
  if (sign !== '*' && sign !== '$') return readOne(bytes);
  const end = bytes.subarray(0, LONGEST_LINE).indexOf(END);
  if (end === -1) return bytes.length < LONGEST_LINE ? null : garbage(bytes);
  const count = bytes.toString('latin1', 1, end);
  if (count === '-1') return {reply: {kind: 'nothing'}, length: end + END.length};
  if (sign === '$') return readOne(bytes);
  return /^\d{1,4}$/.test(count) && Number(count) <= LONGEST_LIST
    ? readTexts(bytes, end + END.length, Number(count), readEach)
    : garbage(bytes);
}

function readTexts(bytes: Buffer, start: number, count: number, readEach: (bytes: Buffer) => Read<AnyReply> | null): Read | null {
  const texts: string[] = [];
  let at = start;
  while (texts.length < count) {
    const read = readEach(bytes.subarray(at));
    if (read === null) return at - start > LONGEST ? garbage(bytes) : null;
    if (read.reply.kind !== 'text' && read.reply.kind !== 'number') return garbage(bytes);
    texts.push(read.reply.text);
    at += read.length;
  }
  return {reply: {kind: 'list', texts}, length: at};
}

/** null = it has not come to its end yet. */
function readOne(bytes: Buffer): Read | null {
  const [sign] = bytes.toString('latin1', 0, 1);
  if (sign === undefined) return null;
  if (!'+-$'.includes(sign)) return garbage(bytes);
  const end = bytes.subarray(0, LONGEST_LINE).indexOf(END);
  if (end === -1) return bytes.length < LONGEST_LINE ? null : garbage(bytes);
  const line = bytes.toString('utf8', 1, end);
  if (sign !== '$') return {reply: {kind: sign === '+' ? 'line' : 'error', text: line}, length: end + END.length};
  return /^\d{1,7}$/.test(line) && Number(line) <= LONGEST ? readText(bytes, end + END.length, Number(line)) : garbage(bytes);
}

function readText(bytes: Buffer, start: number, length: number): Read | null {
  const end = start + length;
  if (bytes.length < end + END.length) return null;
  if (bytes.toString('latin1', end, end + END.length) !== END) return garbage(bytes);
  return {reply: {kind: 'text', text: bytes.toString('utf8', start, end)}, length: end + END.length};
}

const garbage = (bytes: Buffer): Read => ({reply: {kind: 'garbage', bytes: bytes.length}, length: bytes.length});
