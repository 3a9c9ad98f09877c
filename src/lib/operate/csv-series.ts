import type {Grain, Series} from '../capacity/series.ts';
import {readWideRows} from '../providers/csv/wide-rows.ts';

/** The rows of a CSV file as series without times, of the whole fleet. Failures as of `readWideRows`. */
export async function csvSeries(file: string, grain: Grain): Promise<readonly Series[]> {
  const rows = await readWideRows(file);
  return rows.map(({name, values}) => ({
    name,
    region: null,
    unit: '',
    purpose: 'throughput',
    limit: null,
    grain,
    timeZone: 'UTC',
    starts: new Float64Array(values.length).fill(Number.NaN),
    values,
    remarks: [],
  }));
}
