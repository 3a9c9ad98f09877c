import {byJsonbKey} from './bytes.ts';

/** A JSON value that loses nothing: numbers stay as they were written (jsonb keeps more digits than a double), objects are maps. */
export type Exact = null | boolean | string | {readonly number: string} | readonly Exact[] | ReadonlyMap<string, Exact>;

/** What was read, or why it could not be. */
export type Parsed<T> = {readonly ok: true; readonly value: T} | {readonly ok: false; readonly reason: string};

/** Thrown by readers for a text that is not what the column should hold; `parsed` makes a reason of it. */
class Unreadable extends Error {}

/** Ends a reader: the text is not what it should be. `reason` completes "it cannot be read: …". */
export function unreadable(reason: string): never {
  throw new Unreadable(reason);
}

/** Reads a JSON text by `read`, which calls `unreadable` for what it cannot use. Never throws for any text. */
export function parsed<T>(text: string, read: (json: Exact) => T): Parsed<T> {
  try {
    return {ok: true, value: read(parseExact(text))};
  } catch (error) {
    if (error instanceof Unreadable) return {ok: false, reason: error.message};
    // The stack is used up.
    if (error instanceof RangeError) return {ok: false, reason: 'it is nested too deeply'};
    if (error instanceof SyntaxError) return {ok: false, reason: 'it is not JSON'};
    throw error;
  }
}

type Reviver = (key: string, value: unknown, context: {readonly source?: string}) => unknown;
const parse = JSON.parse as (text: string, reviver: Reviver) => Exact;

/* The reviver sees each object once, when its members are done: a number that it has made of a leaf is not seen again. */
const parseExact = (text: string): Exact =>
  parse(text, (_, value, {source}) => {
    if (typeof value === 'number') return {number: source ?? String(value)};
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? new Map(Object.entries(value)) : value;
  });

/**
 * The text of a value as PostgreSQL's `jsonb::text` writes it: keys by length, then bytes; a space after colons and commas. Numbers as they were
 * read, which is how jsonb wrote them.
 */
export function printExact(json: Exact): string {
  if (json === null || typeof json === 'boolean' || typeof json === 'string') return JSON.stringify(json);
  if (Array.isArray(json)) return `[${json.map(printExact).join(', ')}]`;
  if (json instanceof Map) return printObject([...json].map(([key, value]) => [key, printExact(value)]));
  return 'number' in json ? json.number : '';
}

/** An object of values that are JSON texts already. */
export function printObject(entries: readonly (readonly [string, string])[]): string {
  const sorted = entries.toSorted(([a], [b]) => byJsonbKey(a, b));
  return `{${sorted.map(([key, value]) => `${JSON.stringify(key)}: ${value}`).join(', ')}}`;
}

/** The entries of an object; unreadable when it is something else. `what` names it for the reason. */
export function entriesOf(json: Exact | undefined, what: string): readonly (readonly [string, Exact])[] {
  return json instanceof Map ? [...json] : unreadable(`${what} is not an object`);
}

/** A count: an integer from 0 to 2^53-1. Others are refused, since two programs would read them as different numbers. */
export function countOf(json: Exact | undefined, what: string): number {
  const source = typeof json === 'object' && json !== null && 'number' in json ? json.number : '';
  const count = /^(?:0|[1-9]\d*)(?:\.0+)?$/.test(source) ? Number(source) : Number.NaN;
  return Number.isSafeInteger(count) ? count : unreadable(`${what} is not an integer from 0 to 2^53-1`);
}

/** The parts of `region:count`, which names one write of one region; unreadable when it is something else. */
export function dotOf(text: string, what: string): {readonly region: string; readonly count: number} {
  const [, region = '', digits = ''] = /^(.+):(0|[1-9]\d*)$/su.exec(text) ?? [];
  if (region === '' || !Number.isSafeInteger(Number(digits))) unreadable(`${what} "${text}" is not region:count`);
  return {region, count: Number(digits)};
}
