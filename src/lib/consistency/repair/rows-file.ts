import {createHash, type Hash} from 'node:crypto';
import {closeSync, createReadStream, fsyncSync, ftruncateSync, openSync, readSync, renameSync, rmSync, writeSync} from 'node:fs';
import {dirname} from 'node:path';
import {messageOf, refused, stateError, usageError} from '../../errors.ts';
import type {LeftLine, PagedLine, RowLine, RowsSlice} from './model.ts';

/** A rows file that is being written. Nothing is at its path before `end`. */
export type RowsWriter = {
  /** Lines that one step writes. `page`: which keys were read together. */
  batch(page: number, lines: readonly RowLine[]): RowsSlice;
  left(line: LeftLine): void;
  /** Where the file is now; the answer takes what was written since out of it again. */
  mark(): () => void;
  /** Puts the file in its place, on disk. */
  end(): {readonly sha256: string; readonly bytes: number};
  /** Leaves nothing behind. After `end` it does nothing. */
  discard(): void;
};

/**
 * Begins a rows file, for this user only: it holds rows. `file` null = only its digests are wanted. Throws a usage error (64) when it cannot be made there;
 * every write throws `rows-unwritable` (73) when the disk is full or gone.
 */
export function createRowsWriter(file: string | null): RowsWriter {
  const draft = file === null ? null : `${file}.part`;
  const handle = draft === null ? null : opened(draft);
  let whole: Hash = createHash('sha256');
  let [bytes, done] = [0, false];
  const add = (text: string): Buffer => {
    const buffer = Buffer.from(text, 'utf8');
    if (handle !== null) onDisk(file, () => writeAll(handle, buffer, bytes));
    whole.update(buffer);
    bytes += buffer.length;
    return buffer;
  };
  const discard = (): void => {
    if (done || handle === null || draft === null) return;
    done = true;
    closeSync(handle);
    rmSync(draft, {force: true});
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
    mark: () => {
      const [at, hash] = [bytes, whole.copy()];
      return () => {
        if (handle !== null) onDisk(file, () => ftruncateSync(handle, at));
        [bytes, whole] = [at, hash];
      };
    },
    end: () => {
      if (handle !== null && draft !== null && file !== null) {
        onDisk(file, () => {
          fsyncSync(handle);
          renameSync(draft, file);
        });
        done = true;
        closeSync(handle);
        syncDir(dirname(file));
      }
      return {sha256: whole.digest('hex'), bytes};
    },
    discard,
  };
}

/** What the disk does not take ends the plan: a file of which a part is missing is no plan. */
function onDisk(file: string | null, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw stateError('rows-unwritable', `no plan was saved: ${file} cannot be written: ${messageOf(error)}`, {
      cause: error,
      suggestions: ['free some space, or name a file on another disk with -o'],
    });
  }
}

/** The name of the file is on disk as well. Not every file system can do that with a folder. */
function syncDir(dir: string): void {
  try {
    const handle = openSync(dir, 'r');
    try {
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  } catch {
    // What is there is digested in the plan: a file that is gone is noticed.
  }
}

function opened(file: string): number {
  try {
    return openSync(file, 'w', 0o600);
  } catch (error) {
    throw usageError(`cannot write ${file}: ${messageOf(error)}`, {suggestions: ['Name a folder that exists and that you may write to.']});
  }
}

function writeAll(handle: number, buffer: Buffer, place: number): void {
  for (let at = 0; at < buffer.length; ) at += writeSync(handle, buffer, at, buffer.length - at, place + at);
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

/** Every line of a rows file. Lines end with a line feed and nothing else: values may hold other characters that readline takes for the end of one. */
export async function* linesOf(file: string): AsyncGenerator<PagedLine | LeftLine> {
  let rest: Buffer[] = [];
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
      yield JSON.parse(Buffer.concat([...rest, chunk.subarray(from, end)]).toString('utf8')) as PagedLine | LeftLine;
      rest = [];
      from = end + 1;
    }
    rest.push(chunk.subarray(from));
  }
  if (rest.some(({length}) => length > 0)) throw changed(file);
}

const LINE_FEED = 0x0a;

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
