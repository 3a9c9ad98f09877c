import type {ForecastDocument, ForecastStep} from '../operate/forecast.ts';

/** Paths by the name of their series, for programs that score forecasts. */
export type ForecastPaths = Readonly<Record<string, {readonly mean: number[]; readonly lower95: number[]; readonly upper95: number[]}>>;

/** `--format forecasts`: nothing but the path and its 95 % interval of each series. A series without a known value has empty ones. */
export function forecastPaths({series}: ForecastDocument): ForecastPaths {
  return Object.fromEntries(
    series.map(({name, forecast}) => {
      const column = (of: (step: ForecastStep) => number): number[] => forecast.map(of);
      return [name, {mean: column(({mean}) => mean), lower95: column(({lower95}) => lower95), upper95: column(({upper95}) => upper95)}];
    }),
  );
}
