/** A part of a command: ASCII, such as its name or a number, or any bytes. */
export type Word = string | Buffer;

const [CR, LF, STAR, DOLLAR, ZERO] = [13, 10, 42, 36, 48];
/** Shorter words are copied byte by byte: a call into the runtime costs more. */
const LONG = 64;
/** More than the sign, the digits and the two ends of a line that come with each word. */
const AROUND = 24;

/** Every command in one piece of bytes, as the server reads it. */
export function encodeAll(commands: readonly (readonly Word[])[]): Buffer {
  let size = 0;
  for (const words of commands) {
    size += AROUND;
    for (const word of words) size += word.length + AROUND;
  }
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const words of commands) {
    at = putNumber(bytes, at, STAR, words.length);
    for (const word of words) {
      at = putNumber(bytes, at, DOLLAR, word.length);
      at = typeof word === 'string' ? putText(bytes, at, word) : putBytes(bytes, at, word);
      at = putEnd(bytes, at);
    }
  }
  return bytes.subarray(0, at);
}

function putNumber(bytes: Buffer, start: number, sign: number, number: number): number {
  let at = start;
  bytes[at++] = sign;
  let scale = 1;
  while (scale * 10 <= number) scale *= 10;
  for (; scale >= 1; scale /= 10) bytes[at++] = ZERO + (Math.floor(number / scale) % 10);
  return putEnd(bytes, at);
}

function putEnd(bytes: Buffer, at: number): number {
  bytes[at] = CR;
  bytes[at + 1] = LF;
  return at + 2;
}

function putText(bytes: Buffer, at: number, text: string): number {
  if (text.length >= LONG) return at + bytes.write(text, at, 'latin1');
  for (let index = 0; index < text.length; index++) bytes[at + index] = text.charCodeAt(index);
  return at + text.length;
}

function putBytes(bytes: Buffer, at: number, word: Buffer): number {
  if (word.length >= LONG) return at + word.copy(bytes, at);
  for (let index = 0; index < word.length; index++) bytes[at + index] = word[index] ?? 0;
  return at + word.length;
}
