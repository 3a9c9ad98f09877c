import {EXIT, type ExitCode} from '../exit-codes.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import type {HeldBack} from '../state/retention.ts';
import {seriesAsker} from './ask-series.ts';
import {everyRound} from './rounds.ts';
import {CURRENT_MS, type SeriesFilter, type SeriesQuestion, seriesQuestions} from './series-questions.ts';

/** One series in one region, null = of the whole fleet. `at` = when the value was read. Without a value: `code` for scripts, `reason` for people. */
export type CollectRow = {
  readonly series: string;
  readonly region: string | null;
  readonly source: string;
  readonly unit: string;
  readonly at: string | null;
  readonly value: number | null;
  readonly code: string;
  readonly reason: string;
};

/** What one round of collecting has kept. */
export type CollectDocument = {
  readonly fleet: string;
  readonly at: string;
  readonly kept: number;
  readonly missing: number;
  /** How long values are kept, in ms. */
  readonly keepMs: number;
  /** Values that are older and stay, since a silence lies between that may be a clock that jumped; `from`, `to` = the newest such silence. null = none. */
  readonly heldBack: {readonly count: number; readonly from: string; readonly to: string} | null;
  readonly series: readonly CollectRow[];
};

/** By how much the clock of a source may be ahead of ours. */
const CLOCKS_MS = 60_000;

export type CollectOptions = SeriesFilter & {readonly signal: AbortSignal};

/**
 * Reads the current value of each series and appends it to the fleet's own history; all of them are on disk when this returns. Exit code: 0 all were read, 1 some,
 * 3 none. Throws a usage error (64) for names that the fleet file has not got, a StateError (73) when nothing can be kept.
 */
export async function collect(open: OpenFleet, {signal, ...filter}: CollectOptions): Promise<{document: CollectDocument; exit: ExitCode}> {
  const now = open.clock.wall();
  const series = await readCurrent(open, seriesQuestions(open.fleet, filter, 'collect'), {now, signal});
  const found = series.flatMap(({series: name, region, at, value}) =>
    at === null || value === null ? [] : [{series: name, region, at: Date.parse(at), value}],
  );
  const keepMs = open.fleet.capacity?.keepMs ?? 0;
  const held = found.length > 0 ? await keep(open, found, keepMs) : null;
  const heldBack = held === null ? null : {count: held.count, from: iso(held.from), to: iso(held.to)};
  const missing = series.length - found.length;
  const document = {fleet: open.fleet.name, at: iso(now), kept: found.length, missing, keepMs, heldBack, series};
  return {document, exit: missing === 0 ? EXIT.good : found.length > 0 ? EXIT.warning : EXIT.unknown};
}

/** Collects again and again, every `everyMs` from the first time on, until the signal is aborted. Answers with the exit code of the last whole round. */
export async function collectEvery(
  open: OpenFleet,
  {everyMs, onRound, ...options}: CollectOptions & {readonly everyMs: number; onRound(document: CollectDocument): void},
): Promise<ExitCode> {
  let last: ExitCode = EXIT.unknown;
  await everyRound(open.clock, {everyMs, signal: options.signal}, async () => {
    const {document, exit} = await collect(open, options);
    onRound(document);
    last = exit;
  });
  return last;
}

const iso = (at: number): string => new Date(at).toISOString();

/** The current value of each question, all asked at once. It throws only when it is interrupted. */
export function readCurrent(
  open: OpenFleet,
  questions: readonly SeriesQuestion[],
  {now, signal}: {readonly now: number; readonly signal: AbortSignal},
): Promise<readonly CollectRow[]> {
  const ask = seriesAsker(open, signal);
  return Promise.all(questions.map((question) => readNow(question, ask, now)));
}

async function readNow(question: SeriesQuestion, ask: ReturnType<typeof seriesAsker>, now: number): Promise<CollectRow> {
  const {spec, place, source} = question;
  const base = {series: spec.name, region: place?.region ?? null, source, unit: spec.unit};
  const none = (code: string, reason: string): CollectRow => ({...base, at: null, value: null, code, reason});
  const asked = await ask(question, {from: now - CURRENT_MS, to: now, stepMs: CURRENT_MS});
  if (!asked.ok) return none(asked.code, asked.reason);
  // A source with a wrong clock answers with other times than it was asked for: what is kept under them would never be left out again.
  const current = asked.readings.filter(({at}) => at >= now - CURRENT_MS && at <= now + CLOCKS_MS);
  const newest = current.reduce((best, each) => (each.at >= best.at ? each : best), {
    at: Number.NEGATIVE_INFINITY,
    value: Number.NaN,
  });
  if (newest.at === Number.NEGATIVE_INFINITY) return none('no-data', `${source}: the source has no value of the last five minutes`);
  // A gap is told of; a value that lacks a part would be taken for the whole.
  if (asked.partial) return none('partial', `${source}: its answer is not whole: ${asked.remarks.join('; ')}`);
  if (!Number.isFinite(newest.value)) return none('no-number', `${source}: its current value is no number`);
  return {...base, at: new Date(newest.at).toISOString(), value: newest.value, code: 'ok', reason: asked.remarks.join('; ')};
}

async function keep(
  open: OpenFleet,
  found: Parameters<import('../state/capacity-history.ts').CapacityHistory['append']>[0],
  keepMs: number,
): Promise<HeldBack | null> {
  const {openHistory} = await import('../state/capacity-history.ts');
  const history = await openHistory({dir: open.stateDir, fleet: open.fleet.name, clock: open.clock});
  try {
    return history.append(found, keepMs);
  } finally {
    history.close();
  }
}
