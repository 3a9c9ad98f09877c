import type {Grain} from '../capacity/series.ts';
import type {MadeForecast} from '../operate/forecast.ts';
import type {Plotted} from './plot/forecast-plot.ts';

/** At least so much of the history is shown. */
const SHOWN: Readonly<Record<Grain, number>> = {hourly: 96, daily: 28, weekly: 52};

/** What is drawn of a forecast: of its history one and a half times as much as lies ahead, the newest. */
export function plottedOf({series, path, starts, breakAt}: MadeForecast): Plotted {
  const {values, unit, limit, grain, timeZone} = series;
  const shown = Math.min(values.length, Math.max(SHOWN[grain], Math.ceil(path.mean.length * 1.5)));
  const from = values.length - shown;
  const numbers = (first: number, count: number) => Float64Array.from({length: count}, (_, i) => first + i);
  const x = starts === null ? numbers(from + 1, shown) : series.starts.slice(from);
  const ahead = starts === null ? numbers(values.length + 1, path.mean.length) : starts.slice(0, path.mean.length);
  return {
    ...{unit, limit},
    timeZone: starts === null ? null : timeZone,
    history: {x, y: values.slice(from)},
    future: {...path, x: ahead},
    breakX: breakAt !== null && breakAt >= (x[0] ?? breakAt) ? breakAt : null,
  };
}
