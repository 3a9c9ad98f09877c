import {forecast} from '../src/lib/capacity/forecast/forecast.ts';
import {type NamedModel, recipeFor} from '../src/lib/capacity/forecast/recipes.ts';
import {transformFor} from '../src/lib/capacity/forecast/transform.ts';
import type {Grain} from '../src/lib/capacity/series.ts';

/** What a model says of a history; intervals only where it has any. */
export type Modelled = {readonly mean: Float64Array; readonly lower95?: Float64Array; readonly upper95?: Float64Array};

type Contestant = {readonly name: string; readonly forecast: (history: Float64Array, horizon: number) => Modelled};

/** Seasons with which a history of many values gets the recipe that most series of the competition get. */
const SEASONS: Readonly<Record<Grain, readonly number[]>> = {hourly: [24, 168], daily: [], weekly: []};

/** The forecast as it is, `forecast`, and each of its models by itself. */
export function modelsFor(grain: Grain): readonly Contestant[] {
  const {members, simple} = recipeFor(grain, 1000, SEASONS[grain]);
  const all = new Map([...members, ...simple].map((one) => [one.name, one]));
  return [
    {name: 'forecast', forecast: (history, horizon) => forecast(history, {grain, horizon})},
    ...[...all.values()].map((named) => ({name: named.name, forecast: alone(named)})),
  ];
}

/** A model without the guard rails; where the history is too short for it, the last value. */
const alone =
  ({model}: NamedModel) =>
  (history: Float64Array, horizon: number): Modelled => {
    const transform = transformFor(history);
    const path = model(transform.to(history), {origins: [history.length], horizon})?.[0];
    return {mean: path?.map(transform.back) ?? new Float64Array(horizon).fill(history.at(-1) as number)};
  };
