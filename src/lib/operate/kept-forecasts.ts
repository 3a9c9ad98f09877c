import type {KeptForecast} from '../capacity/kept-forecasts.ts';
import type {Json} from '../plan/json.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import type {Forecasts, MadeForecast} from './forecast.ts';

/** The newest so many are scored. */
const MOST_KEPT = 1000;

const topicOf = (fleet: string, {name, region}: {readonly name: string; readonly region: string | null}): string =>
  `forecast ${fleet} ${name} ${region ?? ''}`;

/**
 * Keeps forecasts as they were made, without any growth that was asked for, in the history of the fleet's state. Those of daily peaks are not kept: no series of the fleet file is like them.
 */
export async function keepForecasts(open: OpenFleet, {document, made}: Pick<Forecasts, 'document' | 'made'>, now: number): Promise<void> {
  const state = await open.state();
  state.together(() => {
    for (const [i, one] of made.entries())
      if (one?.starts && document.series[i]?.of === 'values')
        state.note(topicOf(open.fleet.name, one.series), keptOf(one, one.starts), now);
  });
}

function keptOf({series, model, plain}: MadeForecast, starts: Float64Array): Json {
  return {
    ...{grain: series.grain, model, starts: [...starts]},
    ...{mean: [...plain.mean], lower95: [...plain.lower95], upper95: [...plain.upper95]},
  };
}

/** The forecasts that were kept of a series, in the order in which they were made. */
export async function recallForecasts(
  open: OpenFleet,
  series: {readonly name: string; readonly region: string | null},
): Promise<readonly KeptForecast[]> {
  const state = await open.state();
  return state
    .notes(topicOf(open.fleet.name, series), MOST_KEPT)
    .map(({at, data}) => ({madeAt: at, ...(data as Omit<KeptForecast, 'madeAt'>)}));
}
