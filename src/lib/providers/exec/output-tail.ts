import {stripVTControlCharacters} from 'node:util';

/** How much of what a program prints is kept: the end of it. As much again is kept before it, to find secrets that the cut divides. */
const KEPT_BYTES = 64 * 1024;
const LINE_CHARACTERS = 200;

/** The end of what a program printed, in the order of arrival. */
export type OutputTail = {
  add(chunk: Buffer): void;
  /** At most 64 KiB, without secrets, and without anything that moves the cursor of who reads it. */
  text(scrub: (text: string) => string): string;
};

export function outputTail(): OutputTail {
  let raw = Buffer.alloc(0);
  return {
    add: (chunk) => {
      raw = Buffer.concat([raw, chunk]).subarray(-2 * KEPT_BYTES);
    },
    text: (scrub) => {
      const clean = (text: string): string => scrub(printable(scrub(text)));
      const cut = boundaryAt(raw, Math.max(0, raw.length - KEPT_BYTES));
      const before = raw.subarray(0, cut).toString('utf8');
      return clean(before + raw.subarray(cut).toString('utf8')).slice(clean(before).length);
    },
  };
}

/** The last line that is not blank, short enough for an error message; null = there is none. */
export function lastLine(text: string): string | null {
  const line = text
    .split('\n')
    .map((each) => each.trim())
    .findLast((each) => each !== '');
  if (line === undefined) return null;
  return line.length > LINE_CHARACTERS ? `${line.slice(0, LINE_CHARACTERS)}…` : line;
}

/** Colours and cursor movements go, line ends become newlines. */
function printable(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/\r\n?/g, '\n')
    .replace(/[^\P{Cc}\t\n]/gu, '');
}

/** The first byte from `cut` on that begins a character of UTF-8. */
function boundaryAt(bytes: Buffer, cut: number): number {
  let at = cut;
  while (at < bytes.length && ((bytes[at] ?? 0) & 0xc0) === 0x80) at += 1;
  return at;
}
