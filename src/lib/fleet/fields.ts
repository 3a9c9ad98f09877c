import {isIPv6} from 'node:net';
import {z} from 'zod';
import {parseReference, UNRESOLVED} from './references.ts';
import type {SecretRef} from './secrets.ts';

/** What the issue of a field carries, so that the loader can word it. `secret` = never show the value. `discovered` = a secret field was found. */
export type FieldParams = {readonly expected: string; readonly fix: string; readonly secret?: boolean; readonly discovered?: boolean};

type FieldSpec<T> = FieldParams & {
  /** What an editor checks; may be looser than `parse`, never stricter. */
  readonly json: {
    readonly type: 'string' | readonly ['integer', 'string'];
    readonly pattern?: string;
    readonly examples?: readonly string[];
  };
  parse(value: unknown): T | undefined;
};

const ENV = '\\$\\{env:[A-Za-z_][A-Za-z0-9_]*\\}';
const UNIT_MS = {ms: 1, s: 1000, m: 60_000, h: 3_600_000} as const;
const LONGEST_MS = 24 * 24 * UNIT_MS.h;

/** A duration such as `250ms`, `5s`, `15m`, `1h`, read as milliseconds; at most 24 days, because timers end there. A default is given with `.prefault('5s')`. */
export const durationMs = field<number>({
  expected: 'a duration such as 250ms, 5s, 15m or 1h',
  fix: 'Write a whole number and a unit: ms, s, m or h. The longest is 576h.',
  json: {type: 'string', pattern: `^[0-9]+(ms|s|m|h)$|${ENV}`, examples: ['250ms', '5s', '15m', '1h']},
  parse: parseDuration,
});

/**
 * How often a witness writes, in ms. More often than every 5 ms it could not keep its rate: its own process would be seen standing still. Less often than
 * every 10 s it would measure no gap.
 */
export const witnessEveryMs = durationMs.refine((ms) => ms >= 5 && ms <= 10_000, {
  error: 'expected 5ms to 10s: a faster witness could not keep its rate, and a slower one measures no gap',
  params: {fix: 'Write a duration from 5ms to 10s; 20ms is the usual one.'},
});

/** How long something may last that nobody waits for, such as `12h`, `30d` or `2w`, read as milliseconds; at most 3650 days. */
export const spanMs = field<number>({
  expected: 'a span such as 12h, 30d or 2w',
  fix: 'Write a whole number and a unit: h, d or w.',
  json: {type: 'string', pattern: `^[0-9]+(h|d|w)$|${ENV}`, examples: ['12h', '30d', '2w']},
  parse: parseSpan,
});

/** A secret by reference. A literal is an error, and is never shown. */
export const secretRef = field<SecretRef>({
  expected: 'a secret by reference',
  fix: `Write \${env:NAME}, \${file:path} or \${exec:program argument}, and keep the value out of the file.`,
  secret: true,
  json: {type: 'string', pattern: '^\\$\\{(env|file|exec):[^{}]+\\}$', examples: [`\${env:NAME}`, `\${file:secrets/name}`]},
  parse: (value) => (typeof value === 'string' ? (parseReference(value) ?? undefined) : undefined),
});

/** A server's address such as `db.example.com:5432` or `[::1]:5432`. */
export const hostPort = field<{readonly host: string; readonly port: number}>({
  expected: 'an address such as 10.0.0.1:5432',
  fix: 'Write host:port; an IPv6 address stands in brackets: "[::1]:5432".',
  json: {type: 'string', pattern: `^(\\[[0-9A-Fa-f:.]+\\]|[^:\\s]+):[0-9]{1,5}$|${ENV}`, examples: ['127.0.0.1:5432']},
  parse: parseHostPort,
});

/** An http or https URL, kept as written. User and password do not belong in it. */
export const httpUrl = field<string>({
  expected: 'a URL that begins with http:// or https://, without user and password',
  fix: 'Write it like https://app.example.com/healthz.',
  json: {type: 'string', pattern: `^https?://[^\\s@]+$|${ENV}`, examples: ['https://app.example.com/healthz']},
  parse: parseHttpUrl,
});

/** A TCP port from 1 to 65535. */
export const port = field<number>({
  expected: 'a port from 1 to 65535',
  fix: 'Write a whole number such as 5432.',
  json: {type: ['integer', 'string'], pattern: `^[0-9]{1,5}$|${ENV}`},
  parse: parsePort,
});

/** A building block: one check with one sentence, and a JSON Schema of its own, because a transform has none. */
export function field<T>({json, parse, ...params}: FieldSpec<T>) {
  return z
    .unknown()
    .meta(json)
    .transform((value, context): T => {
      const parsed = parse(value);
      if (parsed !== undefined) return parsed;
      const discovered = params.secret === true && value === UNRESOLVED;
      context.issues.push({code: 'custom', input: value, message: `expected ${params.expected}`, params: {...params, discovered}});
      return z.NEVER;
    });
}

function parseDuration(value: unknown): number | undefined {
  const [, digits, unit] = typeof value === 'string' ? (/^(\d+)(ms|s|m|h)$/.exec(value) ?? []) : [];
  if (digits === undefined || unit === undefined) return undefined;
  const ms = Number(digits) * UNIT_MS[unit as keyof typeof UNIT_MS];
  return ms <= LONGEST_MS ? ms : undefined;
}

/** A span in ms; undefined = it is none. */
export function parseSpan(value: unknown): number | undefined {
  const [, digits, unit] = typeof value === 'string' ? (/^(\d{1,6})(h|d|w)$/.exec(value) ?? []) : [];
  const hours = Number(digits) * {h: 1, d: 24, w: 168}[(unit ?? 'h') as 'h' | 'd' | 'w'];
  return digits === undefined || hours > 3650 * 24 ? undefined : hours * UNIT_MS.h;
}

function parseHostPort(value: unknown): {host: string; port: number} | undefined {
  const [, six, plain, digits] = typeof value === 'string' ? (/^(?:\[([^\]]+)\]|([^:[\]\s/@]+)):(\d{1,5})$/.exec(value) ?? []) : [];
  const number = parsePort(digits);
  const host = six ?? plain;
  if (host === undefined || number === undefined || (six !== undefined && !isIPv6(six))) return undefined;
  return {host, port: number};
}

function parseHttpUrl(value: unknown): string | undefined {
  if (typeof value !== 'string' || !/^https?:\/\//.test(value) || !URL.canParse(value)) return undefined;
  const {hostname, username, password} = new URL(value);
  return hostname === '' || username !== '' || password !== '' || /\s/.test(value) ? undefined : value;
}

/** Digits as text are accepted because `${env:PORT}` gives text. */
function parsePort(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= 1 && number <= 65_535 ? number : undefined;
}
