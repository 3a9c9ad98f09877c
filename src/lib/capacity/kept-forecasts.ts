import {naiveScale, scoresOf} from './forecast/scores.ts';
import type {Scores} from './forecast/shapes.ts';
import type {Grain, Series} from './series.ts';

/** A forecast as it was made. Times are epoch ms. */
export type KeptForecast = {
  readonly madeAt: number;
  readonly grain: Grain;
  readonly model: string;
  readonly starts: readonly number[];
  readonly mean: readonly number[];
  readonly lower95: readonly number[];
  readonly upper95: readonly number[];
};

/**
 * How forecasts of a series did against what came. `steps` = how many of their steps are known by now, `furthest` = how many steps ahead the furthest of them was; scores
 * null where none is.
 */
export type KeptScores = {readonly forecasts: number; readonly steps: number; readonly furthest: number; readonly scores: Scores};

/** A step of seasons by which MASE is scaled. */
const SEASON: Readonly<Record<Grain, number>> = {hourly: 24, daily: 7, weekly: 52};

/** Scores every step of every kept forecast whose value is known by now, each as often as it was forecast. */
export function scoreKept(kept: readonly KeptForecast[], {starts, values, grain}: Series): KeptScores {
  const known = new Map<number, number>();
  for (const [i, value] of values.entries()) if (Number.isFinite(value)) known.set(starts[i] ?? Number.NaN, value);
  const pairs = kept
    .filter((one) => one.grain === grain)
    .map((one) => one.starts.flatMap((at, step) => (known.has(at) ? [{one, step, truth: known.get(at) ?? Number.NaN}] : [])))
    .filter((steps) => steps.length > 0);
  const all = pairs.flat();
  const truth = Float64Array.from(all, (pair) => pair.truth);
  const mean = Float64Array.from(all, ({one, step}) => one.mean[step] ?? Number.NaN);
  const everything = new Uint8Array(all.length).fill(1);
  const scale = naiveScale(
    values,
    Uint8Array.from(values, (value) => (Number.isFinite(value) ? 1 : 0)),
    SEASON[grain],
  );
  const scores = scoresOf({origins: [0], paths: [mean], horizon: all.length, values: truth, known: everything}, scale);
  const inside = all.filter(
    ({one, step, truth: came}) => came >= (one.lower95[step] ?? came) && came <= (one.upper95[step] ?? came),
  ).length;
  const furthest = all.reduce((most, {step}) => Math.max(most, step + 1), 0);
  return {
    forecasts: pairs.length,
    steps: all.length,
    furthest,
    scores: {...scores, coverage: all.length === 0 ? null : (100 * inside) / all.length},
  };
}
