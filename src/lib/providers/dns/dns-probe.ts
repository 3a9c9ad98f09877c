import type {Resolver} from 'node:dns/promises';
import {isIP} from 'node:net';
import {timeoutAwake} from '../../awake.ts';
import type {Probe, ProbeResult} from '../../ports/probe.ts';
import {failure} from '../tcp/connection-failure.ts';

/** What to look up, where, and what to expect. `server` null = the name servers of the system; `expect` null = any record. */
export type DnsTarget = {
  readonly name: string;
  readonly record: 'A' | 'AAAA' | 'CNAME' | 'MX' | 'NS' | 'PTR' | 'SRV' | 'TXT';
  readonly server: {readonly host: string; readonly port: number} | null;
  readonly expect: readonly string[] | null;
  readonly timeoutMs: number;
};

/** One question per check, past every cache of this machine. */
export function dnsProbe(target: DnsTarget): Probe {
  return {check: (signal) => lookUp(target, signal)};
}

async function lookUp(target: DnsTarget, signal: AbortSignal): Promise<ProbeResult> {
  const {name, record, server, timeoutMs} = target;
  if (server !== null && isIP(server.host) === 0) {
    const detail = `the name server ${server.host} is no address: a name server is asked by its address`;
    return {ok: null, latencyMs: null, code: 'probe-failed', detail};
  }
  const {Resolver} = await import('node:dns/promises');
  // Its own retries would hide a name server that loses questions. Those of the system are asked one after the other, each in its share of the time.
  const servers = server === null ? Math.max(1, new Resolver().getServers().length) : 1;
  const resolver = new Resolver({timeout: Math.max(1, Math.floor(timeoutMs / servers)), tries: 1});
  if (server !== null) resolver.setServers([isIP(server.host) === 6 ? `[${server.host}]:${server.port}` : `${server.host}:${server.port}`]);
  const bounded = AbortSignal.any([signal, timeoutAwake(timeoutMs)]);
  const started = performance.now();
  // One on this machine answers from what it remembers, or says that it failed, whatever the network does.
  const local = resolver.getServers().every(isOwn) ? {local: true as const} : {};
  try {
    const answers = await asked(resolver, target, bounded);
    return {...judged(target, answers, performance.now() - started), ...local};
  } catch (error) {
    return {
      ...failed(error, `${record} of ${name}${server === null ? '' : ` at ${server.host}:${server.port}`}`, timeoutMs, signal),
      ...local,
    };
  }
}

/** Whether a name server, as `getServers` writes it, is on this machine. */
const isOwn = (server: string): boolean => /^(127\.|\[?::1\b)/.test(server);

async function asked(resolver: Resolver, {name, record}: DnsTarget, signal: AbortSignal): Promise<readonly string[]> {
  signal.throwIfAborted();
  const cancel = (): void => resolver.cancel();
  signal.addEventListener('abort', cancel, {once: true});
  try {
    const answers = (await resolver.resolve(name, record)) as readonly unknown[];
    return answers.map(written);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

/** As `dig +short` writes a record, without the dot at the end of names; a text in quotes. */
function written(answer: unknown): string {
  if (typeof answer === 'string') return answer;
  if (Array.isArray(answer)) return JSON.stringify(answer.join(''));
  const {priority, exchange, weight, port, name} = answer as Readonly<Record<string, unknown>>;
  return exchange !== undefined ? `${priority} ${exchange}` : `${priority} ${weight} ${port} ${name}`;
}

function judged({name, record, expect}: DnsTarget, answers: readonly string[], latencyMs: number): ProbeResult {
  const facts = {answers: [...answers]};
  const missing = (expect ?? []).filter((wanted) => !answers.includes(record === 'TXT' ? quoted(wanted) : wanted.replace(/\.$/, '')));
  const said = `${record} of ${name} is ${answers.join(', ')}`;
  if (missing.length === 0) return {ok: true, latencyMs, code: 'ok', detail: said, facts};
  return {ok: false, latencyMs, code: 'unexpected-answer', detail: `${said}, expected ${missing.join(', ')}`, facts};
}

/** A text may be given with dig's quotes or without. */
const quoted = (text: string): string => JSON.stringify(/^".*"$/s.test(text) ? text.slice(1, -1) : text);

/** Codes of c-ares: a name server that says no is told from one that says nothing. */
const SAYS: Readonly<Record<string, readonly [code: string, says: string]>> = {
  ENOTFOUND: ['no-record', 'there is no such name'],
  ENODATA: ['no-record', 'there is no such record'],
  EREFUSED: ['name-server', 'the name server refused the question'],
  ESERVFAIL: ['name-server', 'the name server failed'],
  EBADRESP: ['name-server', 'the name server answered with something else than DNS'],
  EFORMERR: ['name-server', 'the name server did not understand the question'],
  ECONNREFUSED: ['refused', 'nobody listens at the name server'],
  ETIMEOUT: ['timeout', 'the name server did not answer'],
};

function failed(error: unknown, what: string, timeoutMs: number, signal: AbortSignal): ProbeResult {
  if (signal.aborted) return {ok: null, latencyMs: null, code: 'interrupted', detail: `${what} was not waited for`};
  const symbol = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
  if (symbol === 'ECANCELLED' || (error instanceof Error && error.name === 'TimeoutError'))
    return failure('timeout', `${what}: no answer within ${timeoutMs} ms`);
  const known = SAYS[symbol];
  if (known === undefined) return {ok: null, latencyMs: null, code: 'probe-failed', detail: `${what} could not be asked (${symbol})`};
  return failure(known[0], `${what}: ${known[1]} (${symbol})`);
}
