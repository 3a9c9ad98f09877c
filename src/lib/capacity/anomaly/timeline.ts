import type {Remark} from '../series.ts';

/** More than so many steps between two readings are a gap. */
const GAP_STEPS = 1.5;
/** The usual step is the median of the first so many. */
const STEPS = 1000;

type Kind = 'gap' | 'duplicate' | 'out-of-order' | 'clock-jump' | 'not-a-number';
type Tally = {count: number; from: number; to: number};

/** What is odd about the times of readings as they come. Memory does not grow. */
export type Timeline = {
  add(at: number, value: number): void;
  /** How many readings had a value, and the first and the newest time of all; NaN = there are none. */
  readonly known: number;
  readonly from: number;
  readonly to: number;
  remarks(): readonly Remark[];
};

export function createTimeline(): Timeline {
  const tallies = new Map<Kind, Tally>();
  const gaps = createGaps((at) => note('gap', at));
  let known = 0;
  let from = Number.NaN;
  let to = Number.NaN;
  let previous = Number.NaN;
  /** Readings in a row that are older than the newest before them, and when they began. */
  const behind = {count: 0, at: Number.NaN};

  function note(kind: Kind, at: number): void {
    const tally = tallies.get(kind);
    if (tally === undefined) tallies.set(kind, {count: 1, from: at, to: at});
    else Object.assign(tally, {count: tally.count + 1, from: Math.min(tally.from, at), to: Math.max(tally.to, at)});
  }

  /** One reading that is late is out of order; several that go on from an earlier time show a clock that was set back. */
  function closeBehind(): void {
    if (behind.count > 0) note(behind.count === 1 ? 'out-of-order' : 'clock-jump', behind.at);
    behind.count = 0;
  }

  return {
    add(at, value) {
      if (Number.isFinite(value)) known += 1;
      else note('not-a-number', at);
      if (at === previous) note('duplicate', at);
      if (at < to) {
        if (behind.count === 0) behind.at = at;
        behind.count += 1;
      } else {
        closeBehind();
        if (at > to) gaps.step(to, at);
        to = at;
      }
      if (Number.isNaN(from)) from = at;
      previous = at;
    },
    get known() {
      return known;
    },
    get from() {
      return from;
    },
    get to() {
      return to;
    },
    remarks() {
      closeBehind();
      gaps.flush();
      return [...tallies].map(([kind, tally]) => ({kind, ...tally, says: SAYS[kind](tally.count)}));
    },
  };
}

/** Tells of each gap once the usual step is known; `flush` makes do with the steps there are. */
function createGaps(tell: (at: number) => void): {step(from: number, to: number): void; flush(): void} {
  let first: {at: number; ms: number}[] = [];
  let usual: number | null = null;
  const look = (at: number, ms: number): void => {
    if (usual !== null && ms > GAP_STEPS * usual) tell(at);
  };
  const settle = (): void => {
    if (usual !== null || first.length === 0) return;
    usual = first.map(({ms}) => ms).toSorted((a, b) => a - b)[first.length >> 1] ?? null;
    for (const {at, ms} of first) look(at, ms);
    first = [];
  };
  return {
    step(from, to) {
      if (usual !== null) look(from, to - from);
      else first.push({at: from, ms: to - from});
      if (first.length === STEPS) settle();
    },
    flush: settle,
  };
}

const SAYS: Readonly<Record<Kind, (count: number) => string>> = {
  gap: (count) => `${times(count)} nothing was measured for longer than usual: scores go on with what comes after.`,
  duplicate: (count) => `${readings(count)} the time of the one before: each is scored.`,
  'out-of-order': (count) => `${readings(count)} an earlier time than the one before: scored in the order of the rows.`,
  'clock-jump': (count) => `${times(count)} the clock was set back: scored in the order of the rows.`,
  'not-a-number': (count) => `${readings(count)} no value: not scored (0).`,
};

const times = (count: number): string => (count === 1 ? 'Once' : `${count} times`);
const readings = (count: number): string => (count === 1 ? '1 reading has' : `${count} readings have`);
