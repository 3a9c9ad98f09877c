import {forecastHtml, isForecastReport} from '../output/forecast-html.ts';
import type {Forecasts} from './forecast.ts';
import {assertReplaceable, assertWritable, writeReport} from './write-report.ts';

/** Whether a report can be written there, before anything is read. Throws a usage error (64) or a state error (73). */
export async function checkForecastReport(path: string): Promise<void> {
  await assertReplaceable(path, isForecastReport, 'it is no report of a forecast');
  await assertWritable(path);
}

/** Writes the forecast as an HTML page. Throws as `checkForecastReport` does. */
export async function writeForecastReport(path: string, forecasts: Pick<Forecasts, 'document' | 'made'>): Promise<void> {
  await writeReport(path, forecastHtml(forecasts));
}
