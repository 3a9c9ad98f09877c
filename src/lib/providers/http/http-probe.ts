import type {ClientRequest, IncomingMessage} from 'node:http';
import type {SecretRef, SecretVault} from '../../fleet/secrets.ts';
import type {Probe, ProbeResult} from '../../ports/probe.ts';
import {connectionFailure} from '../tcp/connection-failure.ts';

/** What to ask and what to expect. Header values are references, or plain text where they are no secret. */
export type HttpTarget = {
  readonly url: string;
  readonly expectStatus: number;
  readonly expectText: string | null;
  readonly headers: Readonly<Record<string, SecretRef | string>>;
  readonly timeoutMs: number;
};

/** Of an answer's body no more than this is read. */
const BODY_LIMIT = 64 * 1024;

/**
 * One GET per check over a connection of its own: keep-alive hides a dead listener and a stale name. Redirects are answers like any other.
 * Latency counts from the start of the connection (name lookup included) to the last byte that decided.
 *
 * It is node:http and not undici because of start-up: measured on the development machine, import and three probes take 22-25 ms against
 * 44-73 ms, and `health check` has 200 ms for everything but its slowest probe.
 */
export function httpProbe(target: HttpTarget, secrets: SecretVault): Probe {
  return {check: (signal) => askOnce(target, secrets, signal)};
}

async function askOnce(target: HttpTarget, secrets: SecretVault, signal: AbortSignal): Promise<ProbeResult> {
  const url = new URL(target.url);
  const headers = await revealed(target.headers, secrets);
  const {request} = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(target.timeoutMs)]);
  const started = performance.now();
  const call = request(url, {agent: false, headers, signal: bounded});
  try {
    const response = await answer(call);
    const verdict = await judged(response, target, url);
    return {...verdict, latencyMs: performance.now() - started};
  } catch (error) {
    return connectionFailure(error, {peer: peerOf(url), timeoutMs: target.timeoutMs, signal: bounded});
  } finally {
    call.destroy();
  }
}

async function revealed(headers: HttpTarget['headers'], secrets: SecretVault): Promise<Record<string, string>> {
  const plain: Record<string, string> = {'user-agent': 'regionctl'};
  for (const [name, value] of Object.entries(headers)) plain[name] = typeof value === 'string' ? value : await secrets.reveal(value);
  return plain;
}

function answer(call: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    call.once('response', resolve);
    // Stays for the request's life: an error after the answer must not become an uncaught one.
    call.on('error', reject);
    call.end();
  });
}

/** Judged by status first, then by body. The path is named without its query, which may hold a token. */
async function judged(response: IncomingMessage, target: HttpTarget, url: URL): Promise<Omit<ProbeResult, 'latencyMs'>> {
  const asked = `GET ${url.pathname} on ${peerOf(url)} answered ${response.statusCode}`;
  if (response.statusCode !== target.expectStatus) {
    return {ok: false, code: 'unexpected-status', detail: `${asked}, expected ${target.expectStatus}`};
  }
  const body = await readBody(response, target.expectText);
  if (target.expectText === null || body.found) return {ok: true, code: 'ok', detail: asked};
  return {
    ok: false,
    code: 'unexpected-text',
    detail: `${asked}, but its first ${body.bytes} bytes do not hold ${JSON.stringify(target.expectText)}`,
  };
}

/** Reads to the end, to the wanted text or to the limit, whichever comes first. */
async function readBody(response: IncomingMessage, wanted: string | null): Promise<{found: boolean; bytes: number}> {
  let body = Buffer.alloc(0);
  for await (const chunk of response) {
    body = Buffer.concat([body, chunk as Buffer]).subarray(0, BODY_LIMIT);
    if (wanted !== null && body.includes(wanted)) return {found: true, bytes: body.length};
    if (body.length === BODY_LIMIT) break;
  }
  return {found: false, bytes: body.length};
}

function peerOf(url: URL): string {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return `${url.hostname}:${port}`;
}
