import {open} from 'node:fs/promises';
import {stateError} from '../errors.ts';

/** The parts of a drill, by what had happened to the fleet when a request was sent. */
export const LOAD_PHASES = ['before', 'during', 'after'] as const;
export type LoadPhase = (typeof LOAD_PHASES)[number];

/**
 * How a request ended. `ok` = answered as it should be, in time. `status` = answered with a status that does not count, `refused` = no connection,
 * `reset` = the connection broke, `deadline` = not answered in time, `other` = anything else, such as a name that is not known. `error` = a generator says so.
 */
export const LOAD_ENDS = ['ok', 'status', 'refused', 'reset', 'deadline', 'other', 'error'] as const;
export type LoadEnd = (typeof LOAD_ENDS)[number];

/**
 * One request. `at` is when it should have left and `sent` when it did (epoch ms), `ms` from `at` to its end. `text` says more of an error. `held` = it
 * ended while our own process stood still, or because of that: its time is not known, and an error that nobody answered may be ours.
 */
export type LoadRequest = {
  readonly n: number;
  readonly at: number;
  readonly sent: number;
  readonly ms: number;
  readonly end: LoadEnd;
  readonly text?: string;
  readonly held?: true;
};

/** `late` requests were not sent, because our own process stood still from `from` to `to`. */
export type LoadStall = {readonly from: number; readonly to: number; readonly late: number};

/** One line of the file. `left` requests were under way when it was closed and are not told of; `unfit` lines of a generator could not be read. */
export type LoadLine =
  | LoadRequest
  | {readonly mark: 'open'; readonly at: number; readonly kind: 'built-in' | 'exec'; readonly what: string}
  | {readonly mark: 'phase'; readonly at: number; readonly phase: LoadPhase}
  | ({readonly mark: 'stall'} & LoadStall)
  | {readonly mark: 'unfit'; readonly count: number; readonly first: string | null}
  | {readonly mark: 'gone'; readonly at: number; readonly says: string}
  | {readonly mark: 'close'; readonly at: number; readonly left: number};

/**
 * One life of the load. `closed` false = its process died: after `endedAt` nothing is known. `gone` = how a generator ended by itself. `began` and `ended` =
 * the parts of the drill in which it did.
 */
export type LoadSession = {
  readonly openedAt: number;
  readonly endedAt: number;
  readonly closed: boolean;
  readonly kind: 'built-in' | 'exec';
  readonly what: string;
  readonly gone: string | null;
  readonly began: LoadPhase;
  readonly ended: LoadPhase;
};

/** Everything that a load wrote down, over all processes that carried it. */
export type LoadLog = {
  readonly sessions: readonly LoadSession[];
  readonly requests: readonly (LoadRequest & {readonly phase: LoadPhase})[];
  readonly stalls: readonly LoadStall[];
  /** The part that was begun last. */
  readonly phase: LoadPhase;
  readonly left: number;
  readonly unfit: {readonly count: number; readonly first: string | null};
  /** Lines that are none of ours: the end of a process that was killed while it wrote. */
  readonly torn: number;
};

type Mark = {readonly at: number; readonly phase: LoadPhase};

/** The part in which a request that was sent at `sent` belongs: that of the last mark until then. A mark never leads back. Pure. */
export function phaseAt(sent: number, marks: readonly Mark[], first: LoadPhase): LoadPhase {
  return marks.reduce((phase, mark) => (mark.at <= sent ? laterOf(phase, mark.phase) : phase), first);
}

/** The later of two parts. */
export function laterOf(a: LoadPhase, b: LoadPhase): LoadPhase {
  return LOAD_PHASES.indexOf(b) > LOAD_PHASES.indexOf(a) ? b : a;
}

/** Reads a log, also one whose process was killed. A file that does not exist is an empty log. Throws `load-log` (exit 73). */
export async function readLoadLog(file: string): Promise<LoadLog> {
  const reader = loadLogReader();
  try {
    await using handle = await open(file);
    for await (const line of handle.readLines({encoding: 'utf8'})) reader.line(line);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) {
      throw stateError('load-log', `The log of the load ${file} cannot be read.`, {cause: error});
    }
  }
  return reader.log();
}

/** The same from text. */
export function parseLoadLog(text: string): LoadLog {
  const reader = loadLogReader();
  for (const line of text.split('\n')) reader.line(line);
  return reader.log();
}

type OpenSession = {-readonly [K in keyof Omit<LoadSession, 'ended'>]: LoadSession[K]} & {
  readonly marks: Mark[];
  readonly requests: LoadRequest[];
};
type Reading = {
  readonly sessions: OpenSession[];
  readonly stalls: LoadStall[];
  phase: LoadPhase;
  left: number;
  unfit: number;
  unfitFirst: string | null;
  torn: number;
};

function loadLogReader() {
  const reading: Reading = {sessions: [], stalls: [], phase: 'before', left: 0, unfit: 0, unfitFirst: null, torn: 0};
  return {
    line(text: string): void {
      if (text === '') return;
      const line = lineOf(text);
      if (line === null) reading.torn += 1;
      else if ('mark' in line) takeMark(reading, line);
      else takeRequest(reading, line);
    },
    log: (): LoadLog => ({
      sessions: reading.sessions.map(({marks, requests: _, ...session}) => ({
        ...session,
        ended: phaseAt(session.endedAt, marks, session.began),
      })),
      requests: reading.sessions.flatMap(({requests, marks, began}) =>
        requests.map((request) => ({...request, phase: phaseAt(request.sent, marks, began)})),
      ),
      stalls: reading.stalls,
      phase: reading.phase,
      left: reading.left,
      unfit: {count: reading.unfit, first: reading.unfitFirst},
      torn: reading.torn,
    }),
  };
}

function takeRequest({sessions}: Reading, request: LoadRequest): void {
  const session = sessions.at(-1);
  if (session === undefined) return;
  session.requests.push(request);
  session.endedAt = Math.max(session.endedAt, request.at + request.ms);
}

function takeMark(reading: Reading, line: Extract<LoadLine, {mark: string}>): void {
  const session = reading.sessions.at(-1);
  switch (line.mark) {
    case 'open':
      return void reading.sessions.push(opened(line, reading.phase));
    case 'phase':
      reading.phase = laterOf(reading.phase, line.phase);
      return void session?.marks.push(line);
    case 'stall':
      return void reading.stalls.push({from: line.from, to: line.to, late: line.late});
    case 'unfit':
      reading.unfit += line.count;
      reading.unfitFirst ??= line.first;
      return;
    case 'gone':
      if (session !== undefined) Object.assign(session, {gone: line.says, endedAt: line.at});
      return;
    case 'close':
      reading.left += line.left;
      // A generator that was gone long before had ended then.
      if (session !== undefined) Object.assign(session, {closed: true, endedAt: session.gone === null ? line.at : session.endedAt});
      return;
  }
}

function opened({at, kind, what}: Extract<LoadLine, {mark: 'open'}>, began: LoadPhase): OpenSession {
  return {openedAt: at, endedAt: at, closed: false, kind, what, gone: null, began, marks: [], requests: []};
}

/** Told apart by hand: an hour of load has half a million lines. */
function lineOf(text: string): LoadLine | null {
  try {
    const line: unknown = JSON.parse(text);
    if (typeof line !== 'object' || line === null) return null;
    return ('mark' in line ? isMark(line as Fields) : isRequest(line as Fields)) ? (line as LoadLine) : null;
  } catch {
    return null;
  }
}

type Fields = Readonly<Record<string, unknown>>;
const number = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);

function isRequest({n, at, sent, ms, end}: Fields): boolean {
  return number(n) && number(at) && number(sent) && number(ms) && (LOAD_ENDS as readonly unknown[]).includes(end);
}

function isMark(line: Fields): boolean {
  switch (line.mark) {
    case 'open':
      return number(line.at) && (line.kind === 'built-in' || line.kind === 'exec') && typeof line.what === 'string';
    case 'phase':
      return number(line.at) && (LOAD_PHASES as readonly unknown[]).includes(line.phase);
    case 'stall':
      return number(line.from) && number(line.to) && number(line.late);
    case 'unfit':
      return number(line.count) && (line.first === null || typeof line.first === 'string');
    case 'gone':
      return number(line.at) && typeof line.says === 'string';
    case 'close':
      return number(line.at) && number(line.left);
    default:
      return false;
  }
}
