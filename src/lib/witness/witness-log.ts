import {appendFile, mkdir, open, readFile} from 'node:fs/promises';
import {dirname} from 'node:path';
import {z} from 'zod';
import {stateError} from '../errors.ts';
import type {Clock} from '../ports/clock.ts';

/** How a write ended. `failed` = known not to be written; `unknown` = it may or may not be there. */
export type Outcome = 'acknowledged' | 'failed' | 'unknown';

/** One write of the witness. Times are epoch ms, taken from the monotonic clock of the process that sent it. */
export type WitnessWrite = {
  readonly n: number;
  readonly ref: string;
  readonly sentAt: number;
  readonly endedAt: number;
  readonly outcome: Outcome;
  /** The member of a store that it went to; absent = it went through the front door. */
  readonly member?: string | undefined;
  /** It failed because it was not sent: every connection that may be opened was waiting. */
  readonly unsent?: true | undefined;
  /** Who acknowledged it, as the answer at the front door names it; absent = it names nobody. */
  readonly by?: string | undefined;
};

/** A time in which our own process stood still: `late` writes were not sent in it. Gaps that overlap it may be of our own making. */
export type Stall = {readonly from: number; readonly to: number; readonly late: number};

/**
 * One life of the witness process. `closed` false = it died: after `endedAt` nothing is known. `stoppedAt`: when it sent no more, and only waited for what was
 * under way; absent = at its end. `cpuMs`: what it took of a core, where that was measured.
 */
export type Session = {
  readonly openedAt: number;
  readonly endedAt: number;
  readonly closed: boolean;
  readonly url: string;
  readonly stoppedAt?: number;
  readonly cpuMs?: number;
};

/** Everything a witness wrote down, over all processes that carried it. */
export type WitnessLog = {
  readonly sessions: readonly Session[];
  readonly writes: readonly WitnessWrite[];
  readonly stalls: readonly Stall[];
  /** Lines that could not be read: the end of a process that was killed while it wrote. */
  readonly torn: number;
};

/** Appends lines to a log file. `append` never waits; what it took is on its way to the file within 200 ms, and in it when `flush` has ended. */
export type LogWriter = {append(line: LogLine): void; flush(): Promise<void>; close(): Promise<void>};

const writeLine = z.strictObject({
  n: z.number(),
  ref: z.string(),
  sentAt: z.number(),
  endedAt: z.number(),
  outcome: z.enum(['acknowledged', 'failed', 'unknown']),
  member: z.string().optional(),
  unsent: z.literal(true).optional(),
  by: z.string().optional(),
});
const openLine = z.strictObject({mark: z.literal('open'), at: z.number(), url: z.string()});
const closeLine = z.strictObject({
  mark: z.literal('close'),
  at: z.number(),
  stoppedAt: z.number().optional(),
  cpuMs: z.number().optional(),
});
const stallLine = z.strictObject({mark: z.literal('stall'), from: z.number(), to: z.number(), late: z.number()});
const logLine = z.union([writeLine, openLine, closeLine, stallLine]);

/** One line of the file. */
export type LogLine = z.infer<typeof logLine>;

const FLUSH_MS = 200;

/** Opens a log for appending and makes its folder. It, `flush` and `close` throw `witness-log` (exit 73) when the file cannot be written. */
export async function openWitnessLog(file: string, clock: Clock): Promise<LogWriter> {
  const handle = await mkdir(dirname(file), {recursive: true})
    .then(() => open(file, 'a'))
    .catch((error: unknown) => {
      throw stateError('witness-log', `The witness cannot write its log ${file}.`, {cause: error});
    });
  const closed = new AbortController();
  // A process that was killed may have left half a line: an empty line sets the new ones apart from it.
  let pending = '\n';
  let failure: unknown;
  const write = async (): Promise<void> => {
    const text = pending;
    pending = '';
    if (text !== '') await appendFile(handle, text).catch((error: unknown) => (failure ??= error));
  };
  let writing: Promise<void> = Promise.resolve();
  const flush = (): Promise<void> => {
    writing = writing.then(write);
    return writing;
  };
  const throwIfFailed = (): void => {
    if (failure !== undefined) throw stateError('witness-log', `The witness could not write its log ${file}.`, {cause: failure});
  };
  const flusher = (async () => {
    while (!closed.signal.aborted) {
      await flush();
      await clock.sleep(FLUSH_MS, closed.signal).catch(() => undefined);
    }
  })();
  return {
    append(line) {
      pending += `${JSON.stringify(line)}\n`;
    },
    async flush() {
      await flush();
      throwIfFailed();
    },
    async close() {
      closed.abort();
      await flusher;
      await flush();
      await handle.close();
      throwIfFailed();
    },
  };
}

/** Reads a log back, also one whose process was killed. A file that does not exist is an empty log. */
export async function readWitnessLog(file: string): Promise<WitnessLog> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw stateError('witness-log', `The log of the witness ${file} cannot be read.`, {cause: error});
  });
  return parseWitnessLog(text);
}

/** The same from text. */
export function parseWitnessLog(text: string): WitnessLog {
  const sessions: {-readonly [K in keyof Session]: Session[K]}[] = [];
  const writes: WitnessWrite[] = [];
  const stalls: Stall[] = [];
  let torn = 0;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const parsed = parseLine(line);
    if (parsed === null) {
      torn += 1;
      continue;
    }
    if ('n' in parsed) writes.push(parsed);
    else if (parsed.mark === 'stall') stalls.push({from: parsed.from, to: parsed.to, late: parsed.late});
    else if (parsed.mark === 'open') sessions.push({openedAt: parsed.at, endedAt: parsed.at, closed: false, url: parsed.url});
    const session = sessions.at(-1);
    if (session === undefined) continue;
    session.endedAt = Math.max(session.endedAt, lastTime(parsed));
    if ('mark' in parsed && parsed.mark === 'close') Object.assign(session, {closed: true}, endOf(parsed));
  }
  return {sessions, writes, stalls, torn};
}

function parseLine(line: string): LogLine | null {
  try {
    return logLine.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}

const endOf = ({stoppedAt, cpuMs}: {readonly stoppedAt?: number | undefined; readonly cpuMs?: number | undefined}) => ({
  ...(stoppedAt === undefined ? {} : {stoppedAt}),
  ...(cpuMs === undefined ? {} : {cpuMs}),
});

function lastTime(line: LogLine): number {
  if ('n' in line) return line.endedAt;
  return line.mark === 'stall' ? line.to : line.at;
}
