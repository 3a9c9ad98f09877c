// Reads the folder of the Numenta Anomaly Benchmark (github.com/numenta/NAB): data/**/*.csv and labels/combined_windows.json. Nothing of it is kept here.
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Labelled} from './score.ts';

export type NabFile = Labelled & {readonly name: string; readonly path: string; readonly values: Float64Array};

/** All files that have labels, in the order of their names. */
export function readCorpus(folder: string): readonly NabFile[] {
  const labels = JSON.parse(readFileSync(join(folder, 'labels/combined_windows.json'), 'utf8')) as Record<string, [string, string][]>;
  return Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, windows]) => {
      const path = join(folder, 'data', name);
      const rows = readFileSync(path, 'utf8').trim().split('\n').slice(1);
      const cells = rows.map((row) => row.trim().split(','));
      return {
        name,
        path,
        times: Float64Array.from(cells, ([at = '']) => timeOf(at)),
        values: Float64Array.from(cells, ([, value]) => Number(value)),
        windows: windows.map(([from, to]) => [timeOf(from), timeOf(to)] as const),
      };
    });
}

/** Times of the corpus have no zone; only their order and distance matter. */
function timeOf(text: string): number {
  return Date.parse(`${text.slice(0, 19).replace(' ', 'T')}Z`);
}
