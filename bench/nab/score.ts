// The scoring of the Numenta Anomaly Benchmark, version 1, after its description: Lavin and Ahmad 2015, "Evaluating Real-time Anomaly Detection
// Algorithms", arXiv:1510.03336, section II. A detection inside a labelled window earns the more the earlier it is, only the best one of a window counts,
// a detection outside costs up to its weight, a missed window costs one. The threshold is the one that is best for the whole corpus.

/** What a right and a wrong detection and a missed window weigh. */
export type Profile = {readonly name: string; readonly falsePositive: number; readonly missed: number};

export const PROFILES: readonly Profile[] = [
  {name: 'standard', falsePositive: 0.11, missed: 1},
  {name: 'reward low false positives', falsePositive: 0.22, missed: 1},
  {name: 'reward low false negatives', falsePositive: 0.11, missed: 2},
];

/** One file of the corpus: its times (epoch ms), and where anomalies are labelled, from and to both included. */
export type Labelled = {readonly times: Float64Array; readonly windows: readonly (readonly [from: number, to: number])[]};

export type Scored = {
  /** 0 = as good as detecting nothing, 100 = perfect. */
  readonly score: number;
  readonly threshold: number;
  readonly found: number;
  readonly windows: number;
  readonly falsePositives: number;
};

/** No row before this share of a file counts, nor more than 15 % of 5,000 rows. */
const PROBATION = 0.15;

/** Rows of all files that count: what each would earn, and in which window (numbered through the corpus) it is; -1 = in none. */
export type Rows = {readonly worth: Float64Array; readonly window: Int32Array; readonly counts: Uint8Array; readonly windows: number};

/** What each row of the corpus would earn, files one after the other. `worth` is without the weight of a profile. */
export function prepare(corpus: readonly Labelled[]): Rows {
  const total = corpus.reduce((sum, {times}) => sum + times.length, 0);
  const worth = new Float64Array(total);
  const window = new Int32Array(total).fill(-1);
  const counts = new Uint8Array(total);
  let offset = 0;
  let windows = 0;
  for (const file of corpus) {
    const spans = file.windows.map(([from, to]) => [file.times.indexOf(from), file.times.indexOf(to)] as const);
    const probation = Math.min(Math.floor(PROBATION * file.times.length), PROBATION * 5000);
    for (let row = 0; row < file.times.length; row++) {
      const inside = spans.findIndex(([from, to]) => row >= from && row <= to);
      const before = spans.findLast(([, to]) => to < row);
      worth[offset + row] = inside >= 0 ? insideWorth(row, spans[inside]!) : before === undefined ? -1 : afterWorth(row, before);
      if (inside >= 0) window[offset + row] = windows + inside;
      counts[offset + row] = row >= probation ? 1 : 0;
    }
    offset += file.times.length;
    windows += spans.length;
  }
  return {worth, window, counts, windows};
}

/** 1 at the left edge of a window, falling to nearly 0 at the right one. */
function insideWorth(row: number, [from, to]: readonly [number, number]): number {
  return scaled(-(to - row + 1) / (to - from + 1)) / scaled(-1);
}

/** From 0 right behind a window down to -1 far behind it. */
function afterWorth(row: number, [from, to]: readonly [number, number]): number {
  const position = (row - to) / (to - from);
  return position > 3 ? -1 : scaled(position);
}

/** The paper's scoring function (its equation 3, without the weights). */
function scaled(position: number): number {
  return 2 / (1 + Math.exp(5 * position)) - 1;
}

/** Sweeps the threshold over all scores that occur and gives the best. `scores` = of every row of the corpus, in the order of `prepare`. */
export function score(rows: Rows, scores: Float64Array, profile: Profile): Scored {
  const order = new Uint32Array(scores.length).map((_, i) => i).filter((i) => rows.counts[i] === 1);
  order.sort((a, b) => scores[b]! - scores[a]!);
  const reachable = new Set([...order].map((i) => rows.window[i]!).filter((each) => each >= 0)).size;
  const nothing = -reachable * profile.missed;
  const best = new Map<number, number>();
  const state = {falsePositives: 0, sum: nothing};
  let winner = {sum: nothing, threshold: Number.POSITIVE_INFINITY, found: 0, falsePositives: 0};
  for (const [place, row] of order.entries()) {
    const window = rows.window[row]!;
    if (window < 0) {
      state.falsePositives += 1;
      state.sum += rows.worth[row]! * profile.falsePositive;
    } else {
      const had = best.get(window) ?? -profile.missed;
      best.set(window, Math.max(had, rows.worth[row]!));
      state.sum += Math.max(0, rows.worth[row]! - had);
    }
    const next = order[place + 1];
    const isLastOfItsScore = next === undefined || scores[next] !== scores[row];
    if (isLastOfItsScore && state.sum > winner.sum)
      winner = {sum: state.sum, threshold: scores[row]!, found: best.size, falsePositives: state.falsePositives};
  }
  const perfect = rows.windows;
  return {
    score: (100 * (winner.sum - nothing)) / (perfect - nothing),
    threshold: winner.threshold,
    found: winner.found,
    windows: rows.windows,
    falsePositives: winner.falsePositives,
  };
}
