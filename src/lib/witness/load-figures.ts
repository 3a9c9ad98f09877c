import {LOAD_ENDS, LOAD_PHASES, type LoadEnd, type LoadLog, type LoadPhase, type LoadRequest} from './load-log.ts';

/** What clients felt in one part. Rates are 0 to 1; null = there was no request. Latencies in ms, of requests that were answered as they should be. */
export type PartFigures = {
  readonly requests: number;
  readonly errors: number;
  readonly errorRate: number | null;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly maxMs: number | null;
  /** Whether the load ran in all of it: false = in a time of which nothing is known everything may have failed. */
  readonly whole: boolean;
  /** How many errors of which class, those that there were, the most first. */
  readonly byEnd: readonly {readonly end: Exclude<LoadEnd, 'ok'>; readonly count: number}[];
};

/** The figures of a whole log. */
export type LoadFigures = Readonly<Record<LoadPhase, PartFigures>> & {
  readonly all: PartFigures;
  /** Our own doing: requests that were never sent, answers whose time is not known, and requests that are not judged at all. */
  readonly late: number;
  readonly untimed: number;
  readonly notJudged: number;
  readonly stalls: {readonly count: number; readonly totalMs: number};
  /** Times in which no process carried the load, between its first session and its last; `to` null = it died and was not carried on. */
  readonly holes: readonly {readonly from: number; readonly to: number | null}[];
};

/** The figures of a log. Pure. */
export function loadFigures(log: LoadLog): LoadFigures {
  const judged = log.requests.filter(isJudged);
  const unseen = unseenIn(log);
  const part = (phase: LoadPhase) =>
    partOf(
      judged.filter((request) => request.phase === phase),
      !unseen.has(phase),
    );
  const [before, during, after] = LOAD_PHASES.map(part) as [PartFigures, PartFigures, PartFigures];
  return {
    before,
    during,
    after,
    all: partOf(judged, unseen.size === 0),
    late: log.stalls.reduce((sum, {late}) => sum + late, 0),
    untimed: judged.filter(({end, held}) => end === 'ok' && held === true).length,
    notJudged: log.requests.length - judged.length + log.left,
    stalls: {count: log.stalls.length, totalMs: log.stalls.reduce((sum, {from, to}) => sum + to - from, 0)},
    holes: holesOf(log),
  };
}

/** Whether a request tells something of the service. One that broke off or ran out of time while we stood still may be our own doing; an answer is an answer. */
export function isJudged({end, held}: Pick<LoadRequest, 'end' | 'held'>): boolean {
  return held !== true || end === 'ok' || end === 'status';
}

/**
 * The smallest of the sorted values that `percent` percent of them do not exceed (nearest rank: no value that was not measured); null = there are none.
 * `percent` is a whole number from 1 to 100, so that no rounding shifts the rank.
 */
export function percentile(sorted: ArrayLike<number>, percent: number): number | null {
  return sorted[Math.ceil((percent * sorted.length) / 100) - 1] ?? null;
}

function partOf(requests: readonly LoadRequest[], whole: boolean): PartFigures {
  const errors = requests.filter(({end}) => end !== 'ok');
  const times = Float64Array.from(requests.filter(({end, held}) => end === 'ok' && held !== true).map(({ms}) => ms)).sort();
  return {
    requests: requests.length,
    errors: errors.length,
    errorRate: requests.length === 0 ? null : errors.length / requests.length,
    p50Ms: percentile(times, 50),
    p95Ms: percentile(times, 95),
    maxMs: times.at(-1) ?? null,
    whole,
    byEnd: LOAD_ENDS.filter((end) => end !== 'ok')
      .map((end) => ({end, count: errors.filter((one) => one.end === end).length}))
      .filter(({count}) => count > 0)
      .sort((a, b) => b.count - a.count),
  };
}

/** The parts that a hole reaches into. */
function unseenIn({sessions, phase}: LoadLog): ReadonlySet<LoadPhase> {
  const last = sessions.at(-1);
  const holes = sessions.slice(1).map(({began}, i) => ({from: sessions[i]?.ended ?? began, to: began}));
  const all = last === undefined || isWhole(last) ? holes : [...holes, {from: last.ended, to: phase}];
  const at = (one: LoadPhase) => LOAD_PHASES.indexOf(one);
  return new Set(LOAD_PHASES.filter((one) => all.some(({from, to}) => at(from) <= at(one) && at(one) <= at(to))));
}

const isWhole = ({closed, gone}: LoadLog['sessions'][number]): boolean => closed && gone === null;

function holesOf({sessions}: LoadLog): {from: number; to: number | null}[] {
  const between = sessions.slice(1).map(({openedAt}, i) => {
    const before = sessions[i]?.endedAt ?? openedAt;
    return {from: Math.min(before, openedAt), to: Math.max(before, openedAt)};
  });
  const last = sessions.at(-1);
  return last === undefined || isWhole(last) ? between : [...between, {from: last.endedAt, to: null}];
}
