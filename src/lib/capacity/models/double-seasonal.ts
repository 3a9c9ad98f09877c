import {nelderMead} from '../math/nelder-mead.ts';
import {type Model, modelOf} from './model.ts';
import {movingTrend} from './seasonal-profile.ts';
import {logistic} from './smoothing.ts';

/** Weights of the newest error in the level and in both seasons, and how much of an error carries over to the next step. */
type Weights = {readonly level: number; readonly short: number; readonly long: number; readonly carry: number};

type Seasons = {readonly short: number; readonly long: number};

/** What smoothing starts from. */
type Start = {readonly level: number; readonly short: Float64Array; readonly long: Float64Array};

/** What it has come to after the last value. */
type State = Start & {readonly error: number; readonly cost: number};

/**
 * Exponential smoothing with two seasons and an autoregressive error (Taylor 2003, equations 5 to 9, additive), without a trend, which does more harm
 * than good over days, fitted by the sum of absolute errors one step ahead. Four weights say all: those found on the shorter history are kept.
 */
export const doubleSeasonal = (short: number, long: number): Model =>
  modelOf<Weights>({
    least: 2 * long + short,
    fit: (history, _horizon, earlier) => earlier ?? fitWeights(history, {short, long}),
    path: (history, horizon, weights) => pathFrom(history, horizon, weights, {short, long}),
  });

function fitWeights(history: Float64Array, seasons: Seasons): Weights {
  const start = startOf(history, seasons);
  const scratch = {short: new Float64Array(seasons.short), long: new Float64Array(seasons.long)};
  const found = nelderMead((at) => smooth(history, weightsAt(at), start, scratch).cost, [-2.5, -2, -2, 1.5], {
    step: 1,
    rounds: 60,
    tolerance: 1e-3,
  });
  return weightsAt(found);
}

const weightsAt = (at: Float64Array): Weights => ({
  level: logistic(at[0] as number),
  short: 0.8 * logistic(at[1] as number),
  long: 0.8 * logistic(at[2] as number),
  carry: 1.9 * logistic(at[3] as number) - 0.95,
});

/** Level and seasons out of the first two long seasons: mean distances from the moving trend, the short season first. */
function startOf(history: Float64Array, {short, long}: Seasons): Start {
  const values = history.subarray(0, 2 * long);
  const trend = movingTrend(values, long);
  const distances = values.map((value, t) => value - (trend[t] as number));
  const shortProfile = meansByPhase(distances, short);
  const rest = distances.map((value, t) => value - (shortProfile[t % short] as number));
  let level = 0;
  for (let t = 0; t < long; t++) level += (values[t] as number) / long;
  return {level, short: shortProfile, long: meansByPhase(rest, long)};
}

function meansByPhase(values: Float64Array, season: number): Float64Array {
  const means = new Float64Array(season);
  const counts = new Float64Array(season);
  values.forEach((value, t) => {
    means[t % season] = (means[t % season] as number) + value;
    counts[t % season] = (counts[t % season] as number) + 1;
  });
  return means.map((sum, phase) => sum / (counts[phase] as number));
}

/** Runs over the history. The first short season does not count in the cost: the start knew it. `scratch` becomes the seasons of the state. */
function smooth(history: Float64Array, weights: Weights, start: Start, {short, long}: {short: Float64Array; long: Float64Array}): State {
  short.set(start.short);
  long.set(start.long);
  const {level: alpha, short: delta, long: omega, carry} = weights;
  let level = start.level;
  let error = 0;
  let cost = 0;
  for (let t = 0, i = 0, j = 0; t < history.length; t++) {
    const next = (history[t] as number) - (level + (short[i] as number) + (long[j] as number));
    if (t >= short.length) cost += Math.abs(next - carry * error);
    error = next;
    level += alpha * error;
    short[i] = (short[i] as number) + delta * error;
    long[j] = (long[j] as number) + omega * error;
    if (++i === short.length) i = 0;
    if (++j === long.length) j = 0;
  }
  return {level, short, long, error, cost};
}

function pathFrom(history: Float64Array, horizon: number, weights: Weights, seasons: Seasons): Float64Array {
  const scratch = {short: new Float64Array(seasons.short), long: new Float64Array(seasons.long)};
  const {level, short, long, error} = smooth(history, weights, startOf(history, seasons), scratch);
  const count = history.length;
  let carried = error;
  return Float64Array.from({length: horizon}, (_, step) => {
    carried *= weights.carry;
    return level + (short[(count + step) % seasons.short] as number) + (long[(count + step) % seasons.long] as number) + carried;
  });
}
