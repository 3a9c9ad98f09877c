import {isRegionctlError, messageOf, unavailable} from '../errors.ts';
import type {CheckSpec, ReadingSpec} from '../fleet/fleet.ts';
import type {Answer} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import {httpText} from './http-text.ts';

/** Reads one value of a store's present primary. */
export type ReadStore = (store: string, query: string, signal: AbortSignal) => Promise<Json>;

/** What a check answers. `forGood` = the query itself is refused, and will be however often it is asked. */
export type CheckAnswer = Answer & {readonly forGood: boolean};

/** Evaluates a check of the fleet file. What could not be read is unknown, with the reason; it is neither good nor bad. */
export async function evaluate(check: CheckSpec, readStore: ReadStore, signal: AbortSignal): Promise<CheckAnswer> {
  try {
    const answer = 'http' in check ? await answers(check, signal) : await areEqual(check, readStore, signal);
    return {...answer, forGood: false};
  } catch (error) {
    const forGood = isRegionctlError(error) && error.code === 'bad-query';
    return {holds: null, measured: null, says: `${check.name} could not be checked: ${messageOf(error)}`, forGood};
  }
}

type Answering = Extract<CheckSpec, {readonly http: string}>;

async function answers(check: Answering, signal: AbortSignal): Promise<Answer> {
  const {status, text} = await httpText(check.http, signal);
  const measured = {status};
  if (status !== check.status)
    return {holds: false, measured, says: `${check.name}: ${check.http} answered ${status}, not ${check.status}`};
  const missing = check.contains !== null && !text.includes(check.contains);
  if (missing)
    return {holds: false, measured, says: `${check.name}: the answer of ${check.http} does not contain ${JSON.stringify(check.contains)}`};
  return {holds: true, measured, says: `${check.name}: ${check.http} answered ${status}`};
}

type Equality = Extract<CheckSpec, {readonly equal: unknown}>;

async function areEqual({name, equal, tolerance}: Equality, readStore: ReadStore, signal: AbortSignal): Promise<Answer> {
  const [left, right] = await Promise.all(equal.map((reading) => read(reading, readStore, signal)));
  const measured = [left ?? null, right ?? null];
  const apart = distance(left ?? null, right ?? null);
  const holds = apart === null ? same(left ?? null, right ?? null) : apart <= tolerance;
  const relation = holds ? (apart === null || apart === 0 ? 'equals' : `is within ${tolerance} of`) : 'does not equal';
  return {holds, measured, says: `${name}: ${text(left ?? null)} ${relation} ${text(right ?? null)}`};
}

async function read(reading: ReadingSpec, readStore: ReadStore, signal: AbortSignal): Promise<Json> {
  if ('value' in reading) return reading.value;
  if ('sql' in reading) return readStore(reading.store, reading.sql, signal);
  const {status, text: body} = await httpText(reading.http, signal);
  if (status < 200 || status >= 300) throw unavailable('unexpected-status', `${reading.http} answered ${status}`);
  return reading.json === null ? body.trim() : pointed(parsed(reading.http, body), reading.json);
}

function parsed(url: string, body: string): Json {
  try {
    return JSON.parse(body) as Json;
  } catch {
    throw unavailable('bad-answer', `${url} did not answer JSON`);
  }
}

/** The value that a JSON pointer (RFC 6901) leads to. Throws when it leads nowhere. */
export function pointed(document: Json, pointer: string): Json {
  if (pointer === '') return document;
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<Json>((value, token) => {
      const holder = Array.isArray(value) && !/^(0|[1-9]\d*)$/.test(token) ? null : value;
      if (typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, token))
        throw unavailable('bad-answer', `the answer has nothing at ${pointer}`);
      return (holder as Readonly<Record<string, Json>>)[token] ?? null;
    }, document);
}

/** How far two values are apart; null when they are not both numbers. 64-bit numbers that come as text are compared as they are. */
function distance(left: Json, right: Json): number | null {
  if (!isNumeric(left) || !isNumeric(right)) return null;
  const [a, b] = [String(left), String(right)];
  if (/^-?\d+$/.test(a) && /^-?\d+$/.test(b)) {
    const apart = BigInt(a) - BigInt(b);
    return Number(apart < 0n ? -apart : apart);
  }
  return Math.abs(Number(left) - Number(right));
}

function isNumeric(value: Json): value is number | string {
  return typeof value === 'number' || (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value));
}

function same(left: Json, right: Json): boolean {
  return text(left) === text(right);
}

function text(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
