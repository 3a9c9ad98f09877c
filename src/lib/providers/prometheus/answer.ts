import {z} from 'zod';
import type {Reading} from '../../capacity/series.ts';
import {type RegionctlError, unavailable} from '../../errors.ts';
import type {LabelledReadings, MetricsAnswer} from '../../ports/metrics.ts';

/** An answer as it came. */
export type Received = {readonly status: number; readonly text: string};

/** Of what a server says no more than this is shown. */
const LINE_CHARACTERS = 240;
const MOST_REMARKS = 5;

/** What Prometheus has to say of a query. Any other warning is that something could not be read: a store of Thanos, a remote storage. */
const ON_QUERY = /^PromQL (warning|info):/;

const labels = z.record(z.string(), z.string());
const matrix = z.array(
  z.looseObject({
    metric: labels,
    values: z.array(z.unknown()).optional(),
    histograms: z.array(z.unknown()).optional(),
  }),
);
const success = z.looseObject({
  status: z.literal('success'),
  data: z.looseObject({resultType: z.string(), result: z.unknown()}),
  warnings: z.array(z.string()).nullish(),
  infos: z.array(z.string()).nullish(),
  /** VictoriaMetrics: some of its storage nodes did not answer. */
  isPartial: z.boolean().nullish(),
});
const failure = z.looseObject({status: z.literal('error'), errorType: z.string().nullish(), error: z.string().nullish()});

/** Reads the answer to a range query. Throws `metrics-bad-answer` or `metrics-histogram` (69); `where` is how messages name the server. */
export function answerOf(where: string, {status, text}: Received): MetricsAnswer {
  const answer = success.safeParse(jsonOf(text));
  if (!answer.success) throw refusalOf(where, {status, text});
  const {data, warnings, infos, isPartial} = answer.data;
  if (data.resultType !== 'matrix') throw badAnswer(where, `a result of type ${line(data.resultType)} instead of a matrix`);
  const sets = matrix.safeParse(data.result);
  if (!sets.success) throw badAnswer(where, `a matrix that is none (${sets.error.issues[0]?.path.join('.')})`);
  const said = [...new Set([...(warnings ?? []), ...(infos ?? [])])].map((remark) => `${where} says: ${line(remark)}`);
  const partial = isPartial === true ? [`${where} says that its answer is partial`] : [];
  return {
    sets: sets.data.map((set) => setOf(where, set)),
    remarks: [...partial, ...said].slice(0, MOST_REMARKS),
    ...(isPartial === true || (warnings ?? []).some((warning) => !ON_QUERY.test(warning)) ? {partial: true} : {}),
  };
}

/** Why there is no usable answer: what the server says, by its status and error type, or that it is something else. */
export function refusalOf(where: string, {status, text}: Received): RegionctlError {
  const said = failure.safeParse(jsonOf(text));
  if (said.success) {
    const {errorType, error} = said.data;
    const kind = errorType === null || errorType === undefined ? '' : `, ${line(errorType)}`;
    return unavailable(
      'metrics-refused',
      `${where} refuses the query (${status}${kind}): ${line(error ?? 'no reason given')}`,
      hints(status),
    );
  }
  if (status >= 300 && status < 400)
    return unavailable('metrics-refused', `${where} answers with a redirect (${status}), which is not followed`, hints(status));
  if (status !== 200) {
    const remark = line(text.replaceAll(/<[^>]*>/g, ' '));
    return unavailable('metrics-refused', `${where} answers ${status}${remark === '' ? '' : `: ${remark}`}`, hints(status));
  }
  return badAnswer(where, text.trim() === '' ? 'nothing' : 'something that is no answer of this API');
}

function setOf(where: string, {metric, values = [], histograms = []}: z.output<typeof matrix>[number]): LabelledReadings {
  if (histograms.length > 0) {
    const name = Object.entries(metric).map(([label, value]) => `${label}="${value}"`);
    throw unavailable('metrics-histogram', `${where} answers with a native histogram: ${line(`{${name.join(', ')}}`)}`, {
      suggestions: ['Ask for a number: histogram_quantile(0.99, ...), histogram_count(...) or histogram_sum(...).'],
    });
  }
  return {labels: metric, readings: values.map((pair) => readingOf(where, pair))};
}

/** A pair of seconds and a text. Checked by hand: there may be a million of them. */
function readingOf(where: string, pair: unknown): Reading {
  const [seconds, text]: readonly unknown[] = Array.isArray(pair) ? pair : [];
  if (typeof seconds !== 'number' || typeof text !== 'string') throw badAnswer(where, 'a matrix that is none (values)');
  return {at: Math.round(seconds * 1000), value: numberOf(where, text)};
}

/** What is written as no number stays none: NaN, and infinity of either sign. */
function numberOf(where: string, text: string): number {
  const value = Number(text);
  if (!Number.isNaN(value) && text.trim() !== '') return value;
  if (/^nan$/i.test(text)) return Number.NaN;
  if (/^[+-]?inf$/i.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  throw badAnswer(where, `a value that is no number: ${line(JSON.stringify(text))}`);
}

function badAnswer(where: string, what: string): RegionctlError {
  return unavailable('metrics-bad-answer', `${where} answers with ${what}`, {
    suggestions: ['Check the url of the source: it is the address before /api/v1.'],
  });
}

function hints(status: number): {readonly suggestions: readonly string[]} {
  if (status === 401 || status === 403)
    return {
      suggestions: ['Set token, or user and password, of the source; Mimir and others also want the header X-Scope-OrgID (headers).'],
    };
  if (status === 404 || (status >= 300 && status < 400))
    return {suggestions: ['Check the url of the source: it is the address before /api/v1.']};
  if (status === 400 || status === 422) return {suggestions: ['Try the query in the web interface of the server.']};
  return {suggestions: ['Try again; if it stays so, look at the server.']};
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** One short line without what a terminal would act on. */
function line(text: string): string {
  const plain = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return plain.length > LINE_CHARACTERS ? `${plain.slice(0, LINE_CHARACTERS)}…` : plain;
}
