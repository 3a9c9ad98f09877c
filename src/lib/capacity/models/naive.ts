import {type Model, modelOf} from './model.ts';

/** The newest value for every step: what a random walk leaves to say. */
export const lastValue: Model = modelOf<null>({
  least: 1,
  fit: () => null,
  path: (history, horizon) => new Float64Array(horizon).fill(history.at(-1) as number),
});

/** The value of one season before, for every step; the yardstick of all seasonal models. */
export const seasonalNaive = (season: number): Model =>
  modelOf<null>({
    least: season,
    fit: () => null,
    path: (history, horizon) =>
      Float64Array.from({length: horizon}, (_, step) => history[history.length - season + (step % season)] as number),
  });
