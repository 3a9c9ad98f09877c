import {bounded} from '../../awake.ts';
import type {SecretRef, SecretVault} from '../../fleet/secrets.ts';
import type {Probe, ProbeResult} from '../../ports/probe.ts';
import {connectionFailure, failure} from '../tcp/connection-failure.ts';
import {type Expiry, expiryOf} from '../tls/expiry.ts';
import {readCa} from '../tls/read-ca.ts';
import {type Answer, type Call, mergedHeaders} from './call.ts';
import {callHttp1} from './call-h1.ts';
import {judgeAnswer} from './judge-answer.ts';
import {netModule, tlsModule} from './node-modules.ts';

/** What to ask and what to expect. Header values are references, or plain text where they are no secret. */
export type HttpTarget = {
  readonly url: string;
  readonly expectStatus: number;
  readonly expectText: string | null;
  readonly headers: Readonly<Record<string, SecretRef | string>>;
  readonly timeoutMs: number;
  /** Headers that the answer must have, with these values. Default: none. */
  readonly expectHeaders?: Readonly<Record<string, string>>;
  /** By JSON pointer: values that the body must hold. Default: none. */
  readonly expectJson?: Readonly<Record<string, string | number | boolean | null>>;
  /** How many redirects are followed. Default 0: one is an answer like any other. */
  readonly redirects?: number;
  /** File of the authorities (PEM) that are trusted instead of the system's; null, the default, = the system's. */
  readonly caFile?: string | null;
  /** 2 = it must speak HTTP/2. Default 1.1. */
  readonly httpVersion?: 1.1 | 2;
  /** A certificate that expires sooner is a warning. Default 0: only one that has expired counts. */
  readonly minValidMs?: number;
};

/**
 * One GET per check over a connection of its own: keep-alive hides a dead listener and a stale name. Latency counts from the start of the
 * connection (name lookup included) to the last byte that decided, redirects included; `facts.phases` are those of the last request.
 */
export function httpProbe(target: HttpTarget, secrets: SecretVault): Probe {
  let url: URL | null = null;
  return {
    check: async (signal) => {
      url ??= new URL(target.url);
      return ask({target, url, secrets}, signal);
    },
  };
}

type Asked = {readonly target: HttpTarget; readonly url: URL; readonly secrets: SecretVault};

/** Everything that the requests of one check share. `url` is the target's. */
type Check = {
  readonly target: HttpTarget;
  readonly url: URL;
  readonly headers: Record<string, string>;
  readonly ca: string | null;
  readonly signal: AbortSignal;
  readonly started: number;
  readonly scrub: (text: string) => string;
};

async function ask({target, url, secrets}: Asked, signal: AbortSignal): Promise<ProbeResult> {
  const [headers, trusted] = await Promise.all([revealed(target.headers, secrets), readCa(target.caFile ?? null)]);
  if ('trouble' in trusted) return trusted.trouble;
  // What is loaded the first time is not the endpoint's latency.
  await netModule();
  if (target.url.startsWith('https:')) await tlsModule();
  const limited = bounded(signal, target.timeoutMs);
  try {
    const check: Check = {target, url, headers, ca: trusted.ca, signal: limited.signal, started: performance.now(), scrub: secrets.scrub};
    return await follow(check, url, {left: target.redirects ?? 0, warning: null});
  } finally {
    limited.end();
  }
}

/** How many redirects may come yet, and what the certificates on the way gave cause for. */
type Way = {readonly left: number; readonly warning: Expiry['warning']};

async function follow(check: Check, url: URL, {left, warning}: Way): Promise<ProbeResult> {
  const {target, signal, ca} = check;
  // What was meant for one host is not sent to another.
  const own = url.origin === check.url.origin;
  const headers = own ? check.headers : {'user-agent': 'regionctl'};
  const begin = target.httpVersion === 2 ? (await import('./call-h2.ts')).callHttp2 : callHttp1;
  let call: Call | null = null;
  try {
    call = await begin({url, headers, ca, signal});
    const response = await call.answer;
    const expiry = response.secure === null ? null : expiryOf(response.secure, peerOf(url), target.minValidMs ?? 0);
    const first = warning ?? expiry?.warning ?? null;
    const next = left > 0 ? redirectOf(response, url) : null;
    if (next !== null) {
      // Nobody reads its body: left open, all of it would be kept while the next one is asked.
      call.end();
      return await follow(check, next, {left: left - 1, warning: first});
    }
    // The path is named without its query, which may hold a token.
    const asked = `GET ${url.pathname} on ${peerOf(url)} answered ${response.statusCode}`;
    const result = await judgeAnswer(response, target, {asked, scrub: check.scrub});
    const latencyMs = performance.now() - check.started;
    const facts = {phases: {...call.phases()}, ...(expiry === null ? {} : {certificate: expiry.facts})};
    return {...result, latencyMs, facts, ...(result.ok && first !== null ? {warning: first} : {})};
  } catch (error) {
    if (!signal.aborted && Object(error).code === 'NO_HTTP2') return failure('no-http2', `${peerOf(url)} does not speak HTTP/2`);
    return connectionFailure(error, {peer: peerOf(url), timeoutMs: target.timeoutMs, signal, connected: call?.connected() === true});
  } finally {
    call?.end();
  }
}

async function revealed(headers: HttpTarget['headers'], secrets: SecretVault): Promise<Record<string, string>> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) plain[name] = typeof value === 'string' ? value : await secrets.reveal(value);
  return mergedHeaders({'user-agent': 'regionctl'}, plain);
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Where an answer leads; null = nowhere that could be asked. */
function redirectOf({statusCode, headers}: Answer, from: URL): URL | null {
  if (!REDIRECTS.has(statusCode) || headers.location === undefined || !URL.canParse(headers.location, from.href)) return null;
  const to = new URL(headers.location, from);
  // From a secure place to an open one nobody is led.
  const safe = to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:');
  return safe ? to : null;
}

function peerOf(url: URL): string {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return `${url.hostname}:${port}`;
}
