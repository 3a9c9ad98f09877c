import {appendFile, mkdir, open} from 'node:fs/promises';
import {dirname} from 'node:path';
import {stateError} from '../errors.ts';
import {after, type Clock} from '../ports/clock.ts';
import type {LoadLine} from './load-log.ts';

/** Appends lines to the log of a load. `append` never waits: what it took is in the file within 200 ms, or when `flush` has ended. */
export type LoadWriter = {append(line: LoadLine): void; flush(): Promise<void>; close(): Promise<void>};

const FLUSH_MS = 200;

/** Opens a log for appending and makes its folder. It and `flush` throw `load-log` (exit 73) when the file cannot be written. */
export async function openLoadLog(file: string, clock: Clock): Promise<LoadWriter> {
  const failed = (cause: unknown) => stateError('load-log', `The load cannot write its log ${file}.`, {cause});
  const handle = await mkdir(dirname(file), {recursive: true})
    .then(() => open(file, 'a'))
    .catch((error: unknown) => {
      throw failed(error);
    });
  // A process that was killed may have left half a line: an empty line sets the new ones apart from it.
  let pending = '\n';
  let callOff: (() => void) | null = null;
  let writing: Promise<void> = Promise.resolve();
  const write = async (): Promise<void> => {
    const text = pending;
    pending = '';
    if (text !== '') await appendFile(handle, text);
  };
  const flush = (): Promise<void> => {
    callOff?.();
    callOff = null;
    writing = writing.then(write);
    return writing.catch((error: unknown) => {
      throw failed(error);
    });
  };
  return {
    append(line) {
      pending += `${JSON.stringify(line)}\n`;
      // Who asks for a flush hears of what went wrong before.
      callOff ??= after(clock, FLUSH_MS, () => void flush().catch(() => undefined));
    },
    flush,
    async close() {
      try {
        await flush();
      } finally {
        await handle.close();
      }
    },
  };
}
