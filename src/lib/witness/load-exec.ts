import {stripVTControlCharacters} from 'node:util';
import type {Clock} from '../ports/clock.ts';
import type {GeneratorSpec, RunningGenerator, StartGenerator} from '../ports/generator.ts';
import type {Load} from './load.ts';
import {generatorLine} from './load-line.ts';
import {readLoadLog} from './load-log.ts';
import {loadWindow} from './load-window.ts';
import {type LoadWriter, openLoadLog} from './load-writer.ts';

/** `signal` ends it at once; `scrub` takes secrets out of what the generator prints. */
export type ExecLoadOptions = Omit<GeneratorSpec, 'onLine'> & {
  readonly logFile: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly start: StartGenerator;
  readonly scrub: (text: string) => string;
};

type Intake = {n: number; unfit: number; readonly window: ReturnType<typeof loadWindow>};

const SHOWN_CHARACTERS = 120;

/**
 * Starts a generator and writes down what it says of its requests. If `logFile` holds an earlier part of the same run it is carried on. One that ends by
 * itself is told of in the log. Throws `load-failed` (exit 69) when it cannot be started.
 */
export async function startExecLoad({logFile, clock, signal, start, scrub, ...spec}: ExecLoadOptions): Promise<Load> {
  const earlier = await readLoadLog(logFile);
  const log = await openLoadLog(logFile, clock);
  const intake: Intake = {n: earlier.requests.length, unfit: 0, window: loadWindow()};
  log.append({mark: 'open', at: clock.wall(), kind: 'exec', what: nameOf(spec.command)});
  const onLine = (line: string): void => take(line, {intake, log, clock, scrub});
  const generator = await startWritten(log, () => start({...spec, onLine})).catch(async (error: unknown) => {
    log.append({mark: 'close', at: clock.wall(), left: 0});
    await log.close();
    throw error;
  });
  let state: 'running' | 'stopping' | 'gone' = 'running';
  const ended = closing(generator, {intake, log, clock}, () => {
    const byItself = state === 'running';
    state = 'gone';
    return byItself;
  });
  // The load lives on its own: whoever stops it hears of a log that could not be written.
  ended.catch(() => undefined);
  const end = (): void => {
    if (state === 'running') state = 'stopping';
    void generator.stop();
  };
  if (signal.aborted) end();
  signal.addEventListener('abort', end, {once: true});
  return {
    now: () => (state === 'running' ? intake.window.read(clock.now()) : null),
    async phase(phase) {
      // One that ended by itself has closed the log.
      if (state === 'gone') return markLater(logFile, clock, phase);
      log.append({mark: 'phase', at: clock.wall(), phase});
      await log.flush();
    },
    async stop() {
      signal.removeEventListener('abort', end);
      end();
      await ended;
      return await readLoadLog(logFile);
    },
  };
}

/** That it began is on disk before anything leaves: whoever carries it on knows of the hole, however soon it dies. */
async function startWritten<T>(log: LoadWriter, start: () => Promise<T>): Promise<T> {
  await log.flush();
  return await start();
}

/** Marks the beginning of a part in a log to which nobody writes at the moment. */
export async function markLater(logFile: string, clock: Clock, phase: Parameters<Load['phase']>[0]): Promise<void> {
  const log = await openLoadLog(logFile, clock);
  log.append({mark: 'phase', at: clock.wall(), phase});
  await log.close();
}

type Desk = {readonly intake: Intake; readonly log: LoadWriter; readonly clock: Clock};

function take(line: string, {intake, log, clock, scrub}: Desk & {readonly scrub: (text: string) => string}): void {
  if (line.trim() === '') return;
  const said = generatorLine(line, clock.wall());
  if (said === null) {
    // The first one is shown, those after it are counted.
    if (intake.unfit === 0) log.append({mark: 'unfit', count: 1, first: scrub(printable(line)).slice(0, SHOWN_CHARACTERS)});
    intake.unfit += 1;
    return;
  }
  const {at, ms, ok, text} = said;
  const end = ok ? ('ok' as const) : ('error' as const);
  intake.window.ended(clock.now(), {end, ms});
  log.append({n: intake.n, at, sent: at, ms, end, ...(ok || text === '' ? {} : {text: scrub(printable(text))})});
  intake.n += 1;
}

async function closing(generator: RunningGenerator, {intake, log, clock}: Desk, gone: () => boolean): Promise<void> {
  const says = await generator.ended;
  if (gone()) log.append({mark: 'gone', at: clock.wall(), says});
  if (intake.unfit > 1) log.append({mark: 'unfit', count: intake.unfit - 1, first: null});
  log.append({mark: 'close', at: clock.wall(), left: 0});
  await log.close();
}

/** Without its folder and its arguments: they may hold what is not for everybody. */
function nameOf([program = '']: readonly string[]): string {
  return program.split('/').at(-1) ?? program;
}

function printable(text: string): string {
  return stripVTControlCharacters(text).replace(/\p{Cc}/gu, ' ');
}
