import type {ReadBack} from './readings.ts';
import type {Outcome, WitnessLog} from './witness-log.ts';

/** `window` (epoch ms): only gaps that reach into it are looked at. `edges`: also from the start to the first acknowledgement and from the last to the stop. */
export type MeasureOptions = {readonly window?: {readonly from: number; readonly to: number}; readonly edges?: boolean};

/** What the witness saw. What could not be measured is null, with the reason; never 0. References are sorted as they were sent. */
export type Measured = {
  readonly acknowledged: number;
  readonly failed: number;
  readonly unknown: number;
  /** Writes that were not sent because our own process stood still. */
  readonly late: number;
  /** Acknowledged, and not there afterwards. Null when nothing was read back. */
  readonly lost: readonly string[] | null;
  /** There more than once. */
  readonly duplicated: readonly string[] | null;
  /** Ended as unknown, and there afterwards: neither lost nor a promise broken. */
  readonly unknownButPresent: readonly string[] | null;
  /** The longest time between two acknowledgements that was seen in full; null when there was none. */
  readonly longestGapMs: number | null;
  readonly gapFrom: number | null;
  readonly gapTo: number | null;
  /** The part of the gaps that is surely not of our own making: the longest one without the time in which our process stood still. */
  readonly gapAtLeastMs: number | null;
  /** The outage as clients saw it: longestGapMs, unless a gap that may be longer was not seen in full. */
  readonly writeGapMs: number | null;
  readonly writeGapReason: string | null;
  /**
   * How far back the loss reaches: from the acknowledgement of the earliest lost write to the last acknowledgement before the gap
   * (or of the last lost write, if that came later). At least 1 when something was lost, 0 when nothing was, null when it is not known.
   */
  readonly lossWindowMs: number | null;
  readonly stalls: {readonly count: number; readonly totalMs: number; readonly longestMs: number};
  /** The witness itself was dead for a time, or its end is missing. */
  readonly interrupted: boolean;
};

type Span = {readonly from: number; readonly to: number};
type Gap = Span & {readonly end: 'ack' | 'stop'};

/** Measures a log against what was read back. Pure. Losses and counts are over the whole log, gaps over the window. */
export function measureWitness(log: WitnessLog, readBack: ReadBack | null, options: MeasureOptions = {}): Measured {
  const holes = holesOf(log);
  const gaps = gapsOf(log, options);
  const hidden = (gap: Gap) => holes.some((hole) => overlapMs(gap, hole) > 0);
  const seen = gaps.filter((gap) => !hidden(gap));
  const longest = longestOf(seen);
  const lengths = log.stalls.map(lengthMs);
  return {
    acknowledged: countOf(log, 'acknowledged'),
    failed: countOf(log, 'failed'),
    unknown: countOf(log, 'unknown'),
    late: log.stalls.reduce((sum, stall) => sum + stall.late, 0),
    ...lossesOf(log, readBack, longest),
    longestGapMs: longest === null ? null : lengthMs(longest),
    gapFrom: longest?.from ?? null,
    gapTo: longest?.to ?? null,
    gapAtLeastMs: atLeastMs(log, seen),
    ...writeGapOf(longestOf(gaps.filter(hidden)), longest),
    stalls: {count: lengths.length, totalMs: lengths.reduce((sum, ms) => sum + ms, 0), longestMs: largest(lengths)},
    interrupted: holes.length > 0,
  };
}

/** Times in which no process carried the witness. A last session that was not closed leaves a hole without an end. */
function holesOf(log: WitnessLog): Span[] {
  const holes = log.sessions.slice(1).map((session, i) => {
    const before = log.sessions[i]?.endedAt ?? session.openedAt;
    return {from: Math.min(before, session.openedAt), to: Math.max(before, session.openedAt)};
  });
  const last = log.sessions.at(-1);
  return last === undefined || last.closed ? holes : [...holes, {from: last.endedAt, to: Number.POSITIVE_INFINITY}];
}

function gapsOf(log: WitnessLog, options: MeasureOptions): Gap[] {
  const acks = log.writes.filter((write) => write.outcome === 'acknowledged').map((write) => write.endedAt);
  acks.sort((a, b) => a - b);
  const stop = options.edges === true ? stopOf(log).filter((at) => at > (acks.at(-1) ?? Number.NEGATIVE_INFINITY)) : [];
  const points = options.edges === true ? [...startOf(log), ...acks, ...stop] : acks;
  const gaps = points
    .slice(1)
    .map((to, i): Gap => ({from: points[i] ?? to, to, end: stop.length > 0 && i === points.length - 2 ? 'stop' : 'ack'}));
  const {window} = options;
  return window === undefined ? gaps : gaps.filter((gap) => overlapMs(gap, window) > 0);
}

function startOf(log: WitnessLog): number[] {
  return log.sessions.slice(0, 1).map((session) => session.openedAt);
}

/** When nothing more was sent: that nothing was acknowledged while it waited for writes that hung is no gap. */
function stopOf(log: WitnessLog): number[] {
  return log.sessions.slice(-1).map(({stoppedAt, endedAt}) => stoppedAt ?? endedAt);
}

function longestOf(gaps: readonly Gap[]): Gap | null {
  return gaps.reduce<Gap | null>((best, gap) => (best === null || lengthMs(gap) > lengthMs(best) ? gap : best), null);
}

function atLeastMs(log: WitnessLog, gaps: readonly Gap[]): number | null {
  if (gaps.length === 0) return null;
  const own = (gap: Gap) => log.stalls.reduce((sum, stall) => sum + overlapMs(gap, stall), 0);
  return gaps.reduce((best, gap) => (lengthMs(gap) <= best ? best : Math.max(best, lengthMs(gap) - own(gap))), 0);
}

function writeGapOf(hidden: Gap | null, longest: Gap | null): Pick<Measured, 'writeGapMs' | 'writeGapReason'> {
  const none = (writeGapReason: string) => ({writeGapMs: null, writeGapReason});
  const measured = longest === null ? 0 : lengthMs(longest);
  if (hidden !== null && lengthMs(hidden) > measured) {
    return none(`the witness was not running for a part of a gap of ${Math.round(lengthMs(hidden))} ms`);
  }
  if (longest === null) return none('fewer than two writes were acknowledged');
  if (longest.end === 'stop')
    return none(`no write was acknowledged in the last ${Math.round(measured)} ms before the witness was stopped`);
  return {writeGapMs: measured, writeGapReason: null};
}

function lossesOf(
  log: WitnessLog,
  readBack: ReadBack | null,
  longest: Gap | null,
): Pick<Measured, 'lost' | 'duplicated' | 'unknownButPresent' | 'lossWindowMs'> {
  if (readBack === null) return {lost: null, duplicated: null, unknownButPresent: null, lossWindowMs: null};
  const lost = log.writes.filter((write) => write.outcome === 'acknowledged' && !readBack.has(write.ref));
  const present = log.writes.filter((write) => write.outcome === 'unknown' && readBack.has(write.ref));
  const times = lost.map((write) => write.endedAt);
  return {
    lost: lost.toSorted((a, b) => a.n - b.n).map((write) => write.ref),
    duplicated: [...readBack].filter(([, count]) => count > 1).map(([ref]) => ref),
    unknownButPresent: present.toSorted((a, b) => a.n - b.n).map((write) => write.ref),
    lossWindowMs: times.length === 0 ? 0 : Math.max(1, Math.max(longest?.from ?? 0, largest(times)) - smallest(times)),
  };
}

function countOf(log: WitnessLog, outcome: Outcome): number {
  return log.writes.reduce((sum, write) => (write.outcome === outcome ? sum + 1 : sum), 0);
}

/* Not Math.max(...values): an hour of writes is more than a call can take as arguments. */
function largest(values: readonly number[]): number {
  return values.reduce((max, value) => Math.max(max, value), 0);
}

function smallest(values: readonly number[]): number {
  return values.reduce((min, value) => Math.min(min, value), Number.POSITIVE_INFINITY);
}

function lengthMs(span: Span): number {
  return span.to - span.from;
}

function overlapMs(a: Span, b: Span): number {
  return Math.max(0, Math.min(a.to, b.to) - Math.max(a.from, b.from));
}
