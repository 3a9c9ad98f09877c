import {type Model, modelOf, type Parts} from './model.ts';
import {fitAlpha, levelAfter} from './smoothing.ts';

type Line = {readonly start: number; readonly slope: number};

/** The straight line of least squares through all values. */
function lineThrough(history: Float64Array): Line {
  const count = history.length;
  const middle = (count - 1) / 2;
  let sum = 0;
  let product = 0;
  for (let t = 0; t < count; t++) {
    sum += history[t] as number;
    product += (t - middle) * (history[t] as number);
  }
  const slope = count < 2 ? 0 : product / ((count * (count * count - 1)) / 12);
  return {start: sum / count - slope * middle, slope};
}

/** The theta line of 2: the values with their distance from the straight line doubled. */
const doubled = (history: Float64Array, {start, slope}: Line): Float64Array => history.map((value, t) => 2 * value - (start + slope * t));

/**
 * The theta method (Assimakopoulos and Nikolopoulos 2000): the mean of the straight line through all values and of the smoothed theta line of 2. It
 * is simple exponential smoothing with half the slope of the line (Hyndman and Billah 2003).
 */
export const thetaParts: Parts<number> = {
  least: 4,
  fit: (history) => fitAlpha(doubled(history, lineThrough(history))),
  path: (history, horizon, alpha) => {
    const line = lineThrough(history);
    const level = levelAfter(doubled(history, line), alpha);
    return Float64Array.from({length: horizon}, (_, step) => (level + line.start + line.slope * (history.length + step)) / 2);
  },
};
export const theta: Model = modelOf(thetaParts);
