import {basename, extname} from 'node:path';
import {headerProblem, readCsvRow} from '../capacity/anomaly/csv-rows.ts';
import {createWatch, type Watched} from '../capacity/anomaly/watch.ts';
import {linesOf} from '../csv-lines.ts';
import {usageError} from '../errors.ts';
import type {ExitCode} from '../exit-codes.ts';
import {type AnomaliesDocument, anomaliesOf, documentOf} from './anomalies.ts';
import {assertReplaceable, isSameFile, writeReportInParts} from './write-report.ts';

const SCORES_HEADER = 'timestamp,value,anomaly_score';
const DIGITS = 6;

export type AnomaliesInFileOptions = {
  /** CSV with a header and two cells in each row: timestamp and value. */
  readonly file: string;
  /** Where each row is written with its score, whole or not at all; null = nowhere. An earlier file of scores is replaced, another file is not. */
  readonly scores: string | null;
  /** Only what happened so long before the newest row counts; null = everything. */
  readonly lastMs: number | null;
  readonly signal: AbortSignal;
};

/**
 * Looks for anomalies in a file, each row scored by those before it, in memory that does not grow with the file. Exit code: 1 an anomaly, 3 fewer than
 * 100 readings, 0 none. Throws a usage error (64) for what cannot be read, with line and field, or cannot be written; then no score is written.
 */
export async function findAnomaliesInFile(options: AnomaliesInFileOptions): Promise<{document: AnomaliesDocument; exit: ExitCode}> {
  const {file, scores, lastMs} = options;
  if (scores !== null) await checkPlace(file, scores);
  const watched =
    scores === null
      ? await scoreRows(options, async () => undefined)
      : await writeReportInParts(scores, (append) => scoreRows(options, append));
  return documentOf([anomaliesOf({name: basename(file, extname(file)), region: null}, watched, lastMs)], lastMs);
}

async function checkPlace(file: string, scores: string): Promise<void> {
  if (await isSameFile(file, scores))
    throw usageError(`--from-csv and --scores name the same file: ${scores}`, {suggestions: ['Name another file for the scores.']});
  await assertReplaceable(scores, (head) => head.startsWith(SCORES_HEADER), 'it is no file of anomaly scores');
}

async function scoreRows({file, signal}: AnomaliesInFileOptions, append: (text: string) => Promise<void>): Promise<Watched> {
  const watch = createWatch();
  let line = 0;
  await append(`${SCORES_HEADER}\n`);
  for await (const lines of linesOf(file, {signal})) {
    let scored = '';
    for (const text of lines) {
      line += 1;
      if (line === 1) checkHeader(file, text);
      else if (text.trim() !== '') scored += `${text},${scoreOf(text, {file, line}, watch)}\n`;
    }
    await append(scored);
  }
  if (line === 0) throw usageError(`${file} is empty`, {suggestions: ['It must begin with a header such as timestamp,value.']});
  return watch.found();
}

function checkHeader(file: string, text: string): void {
  const problem = headerProblem(text);
  if (problem !== null)
    throw usageError(`${file}, line 1: ${problem.says}`, {suggestions: ['The first row names the columns: timestamp,value']});
}

function scoreOf(text: string, {file, line}: {file: string; line: number}, watch: ReturnType<typeof createWatch>): string {
  const row = readCsvRow(text);
  if ('says' in row)
    throw usageError(`${file}, line ${line}${row.field === 'row' ? '' : `, field ${row.field}`}: ${row.says}`, {
      suggestions: ['Correct that row. An empty value, or NaN, stands for one that is not known.'],
    });
  return watch.next(row.at, row.value).toFixed(DIGITS);
}
