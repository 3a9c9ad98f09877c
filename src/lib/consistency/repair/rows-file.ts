import {createHash, type Hash} from 'node:crypto';
import {closeSync, createReadStream, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync} from 'node:fs';
import {createInterface} from 'node:readline';
import {messageOf, refused, usageError} from '../../errors.ts';
import type {LeftLine, PagedLine, RowLine, RowsSlice} from './model.ts';

/** A rows file that is being written. Nothing is at its path before `end`. */
export type RowsWriter = {
  /** Lines that one step writes. `page`: which keys were read together. */
  batch(page: number, lines: readonly RowLine[]): RowsSlice;
  left(line: LeftLine): void;
  /** Puts the file in its place, on disk. */
  end(): {readonly sha256: string; readonly bytes: number};
  /** Leaves nothing behind. After `end` it does nothing. */
  discard(): void;
};

/** Begins a rows file, for this user only: it holds rows. `file` null = only its digests are wanted. Throws a usage error (64) when it cannot be written. */
export function createRowsWriter(file: string | null): RowsWriter {
  const draft = file === null ? null : `${file}.part`;
  const handle = draft === null ? null : opened(draft);
  const whole: Hash = createHash('sha256');
  let [bytes, done] = [0, false];
  const add = (text: string): Buffer => {
    const buffer = Buffer.from(text, 'utf8');
    if (handle !== null) writeAll(handle, buffer);
    whole.update(buffer);
    bytes += buffer.length;
    return buffer;
  };
  return {
    batch: (page, lines) => {
      const offset = bytes;
      const buffer = add(
        lines
          .map((line): PagedLine => ({page, ...line}))
          .map((line) => `${JSON.stringify(line)}\n`)
          .join(''),
      );
      return {offset, bytes: buffer.length, lines: lines.length, sha256: createHash('sha256').update(buffer).digest('hex')};
    },
    left: (line) => void add(`${JSON.stringify(line)}\n`),
    end: () => {
      done = true;
      if (handle !== null && draft !== null && file !== null) {
        fsyncSync(handle);
        closeSync(handle);
        renameSync(draft, file);
      }
      return {sha256: whole.digest('hex'), bytes};
    },
    discard: () => {
      if (done || handle === null || draft === null) return;
      done = true;
      closeSync(handle);
      rmSync(draft, {force: true});
    },
  };
}

function opened(file: string): number {
  try {
    return openSync(file, 'w', 0o600);
  } catch (error) {
    throw usageError(`cannot write ${file}: ${messageOf(error)}`, {suggestions: ['Name a folder that exists and that you may write to.']});
  }
}

function writeAll(handle: number, buffer: Buffer): void {
  for (let at = 0; at < buffer.length; ) at += writeSync(handle, buffer, at);
}

/** The lines of one step. Throws `rows-changed` (77) when they are not those that the plan was made with. */
export function readSlice(file: string, {offset, bytes, lines, sha256}: RowsSlice): readonly RowLine[] {
  const buffer = Buffer.alloc(bytes);
  const handle = openForReading(file);
  try {
    for (let at = 0; at < bytes; ) {
      const read = readSync(handle, buffer, at, bytes - at, offset + at);
      if (read === 0) throw changed(file);
      at += read;
    }
  } finally {
    closeSync(handle);
  }
  if (createHash('sha256').update(buffer).digest('hex') !== sha256) throw changed(file);
  const read = buffer
    .toString('utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as RowLine);
  if (read.length !== lines) throw changed(file);
  return read;
}

/** Every line of a rows file. */
export async function* linesOf(file: string): AsyncGenerator<PagedLine | LeftLine> {
  for await (const line of createInterface({input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY}))
    yield JSON.parse(line) as PagedLine | LeftLine;
}

/** The sha256 of a file. Throws `rows-missing` (77) when it is not there. */
export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  } catch (error) {
    throw missing(file, error);
  }
  return hash.digest('hex');
}

function openForReading(file: string): number {
  try {
    return openSync(file, 'r');
  } catch (error) {
    throw missing(file, error);
  }
}

const missing = (file: string, error: unknown): Error =>
  refused('rows-missing', `nothing was done: the rows of the plan cannot be read: ${messageOf(error)}`, {
    suggestions: [`put ${file} back, which repair plan made beside the plan, or make the plan anew`],
  });

export const changed = (file: string): Error =>
  refused('rows-changed', `nothing was done: ${file} is not the file that the plan was made with`, {
    suggestions: ['make the plan anew, and review it again'],
  });
