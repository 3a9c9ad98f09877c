import type {Agent} from 'undici';
import {unlessAborted} from '../../awake.ts';
import {isRegionctlError, messageOf, type RegionctlError, unavailable} from '../../errors.ts';
import type {SecretRef, SecretVault} from '../../fleet/secrets.ts';
import type {LabelledReadings, Metrics, MetricsRange} from '../../ports/metrics.ts';
import {readCa} from '../tls/read-ca.ts';
import {answerOf, type Received, refusalOf} from './answer.ts';
import {chunksOf, joined} from './chunks.ts';

/** Where the HTTP API of a Prometheus is, without `/api/v1`, and what every request carries. */
export type PrometheusPlace = {
  readonly url: string;
  readonly token: SecretRef | null;
  readonly login: {readonly user: string; readonly password: SecretRef} | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly secretHeaders: Readonly<Record<string, SecretRef>>;
  readonly caFile: string | null;
};

const API = '/api/v1/query_range';
/** More than this is no answer to a question about a fleet. */
const LARGEST_BYTES = 64 * 1024 * 1024;
/** A longer query goes into the body of a POST: proxies cut addresses off. Reading by GET is what read-only proxies let through. */
const LONGEST_GET = 1500;
/** More questions at once wait their turn: a server works on twenty, and fails those that wait too long. */
const CONNECTIONS = 16;

type Request = {readonly url: URL; readonly body: string | null; readonly headers: Record<string, string>};

/**
 * Asks `/api/v1/query_range`. The only deadline is the signal's. Throws a RegionctlError (69): `metrics-unreachable`, `metrics-refused` (with status and
 * `errorType`), `metrics-bad-answer`, `metrics-too-large`, `metrics-histogram`; none holds a secret. Redirects are not followed: a token is for this address only.
 */
export function prometheusMetrics(place: PrometheusPlace, secrets: SecretVault): Metrics {
  const where = shownUrl(place.url);
  let agent: Promise<Agent> | null = null;
  const connections = (): Promise<Agent> => {
    agent ??= openAgent(place, where).catch((error: unknown) => {
      agent = null;
      throw error;
    });
    return agent;
  };
  const ask = async (query: string, range: MetricsRange, signal: AbortSignal): Promise<Received> => {
    const request = requestOf(place.url, query, range, await headersOf(place, secrets));
    const dispatcher = await connections();
    try {
      return await sendTwice(request, dispatcher, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (isRegionctlError(error)) throw error;
      throw unavailable('metrics-unreachable', secrets.scrub(`${where} does not answer: ${reasonOf(error)}`), {cause: error});
    }
  };
  return {
    async series(query, range, signal) {
      signal.throwIfAborted();
      if (query.trim() === '') throw noQuery(where);
      const parts: {readonly sets: readonly LabelledReadings[]; readonly remarks: readonly string[]}[] = [];
      for (const chunk of chunksOf(range)) {
        const received = await ask(query, chunk, signal);
        if (received.status !== 200) throw scrubbed(refusalOf(where, received), secrets);
        parts.push(scrubbed(answerOf(where, received), secrets));
      }
      return joined(parts);
    },
    close: async () => {
      await (await agent?.catch(() => null))?.destroy();
    },
  };
}

/** The address without what follows the path. */
function shownUrl(url: string): string {
  const {origin, pathname} = new URL(url);
  return `${origin}${pathname === '/' ? '' : pathname.replace(/\/$/, '')}`;
}

async function openAgent({caFile}: PrometheusPlace, where: string): Promise<Agent> {
  const [{Agent: Kept}, trusted] = await Promise.all([import('undici'), readCa(caFile)]);
  if ('trouble' in trusted) throw unavailable('metrics-unreachable', `${where} cannot be asked: ${trusted.trouble.detail}`);
  const connect = trusted.ca === null ? {} : {connect: {ca: trusted.ca}};
  return new Kept({connections: CONNECTIONS, headersTimeout: 0, bodyTimeout: 0, ...connect});
}

async function headersOf({token, login, headers, secretHeaders}: PrometheusPlace, secrets: SecretVault): Promise<Record<string, string>> {
  const revealed = await Promise.all(Object.entries(secretHeaders).map(async ([name, ref]) => [name, await secrets.reveal(ref)] as const));
  const authorization =
    token !== null
      ? `Bearer ${await secrets.reveal(token)}`
      : login === null
        ? null
        : `Basic ${Buffer.from(`${login.user}:${await secrets.reveal(login.password)}`, 'utf8').toString('base64')}`;
  const own = {accept: 'application/json', 'user-agent': 'regionctl'};
  return {...own, ...headers, ...Object.fromEntries(revealed), ...(authorization === null ? {} : {authorization})};
}

function requestOf(base: string, query: string, {from, to, stepMs}: MetricsRange, headers: Record<string, string>): Request {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/$/, '')}${API}`;
  const seconds = (ms: number): string => String(ms / 1000);
  const fields = {query, start: seconds(from), end: seconds(to), step: seconds(stepMs)};
  if (query.length > LONGEST_GET)
    return {url, body: new URLSearchParams(fields).toString(), headers: {...headers, 'content-type': 'application/x-www-form-urlencoded'}};
  for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, value);
  return {url, body: null, headers};
}

/** A kept connection may have been closed just when the question went out: one that ends too early is asked once more, which changes nothing. */
async function sendTwice(request: Request, dispatcher: Agent, signal: AbortSignal): Promise<Received> {
  try {
    return await send(request, dispatcher, signal);
  } catch (error) {
    if (signal.aborted || !isCutOff(error)) throw error;
    return send(request, dispatcher, signal);
  }
}

async function send({url, body, headers}: Request, dispatcher: Agent, signal: AbortSignal): Promise<Received> {
  const {request} = await import('undici');
  const method = body === null ? 'GET' : 'POST';
  const answer = request(url, {method, headers, body, dispatcher, signal}).then(async (response) => {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response.body) {
      size += (chunk as Buffer).length;
      if (size > LARGEST_BYTES) {
        response.body.destroy();
        throw tooLarge(shownUrl(url.href.replace(API, '')));
      }
      chunks.push(chunk as Buffer);
    }
    return {status: response.statusCode, text: Buffer.concat(chunks).toString('utf8')};
  });
  return unlessAborted(answer, signal);
}

function tooLarge(where: string): RegionctlError {
  return unavailable('metrics-too-large', `${where} answers with more than 64 MiB`, {
    suggestions: ['Aggregate in the query, as in sum(...), or read less history.'],
  });
}

function noQuery(where: string): RegionctlError {
  return unavailable('metrics-refused', `${where} needs a query`, {suggestions: ['Add query to the series in the fleet file.']});
}

function reasonOf(error: unknown): string {
  return isCutOff(error) ? 'it closed the connection before its answer was complete' : messageOf(error);
}

function isCutOff(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET';
}

/** What a server says may repeat what it was sent. */
function scrubbed<T extends RegionctlError | {readonly sets: readonly LabelledReadings[]; readonly remarks: readonly string[]}>(
  said: T,
  secrets: SecretVault,
): T {
  if (said instanceof Error) {
    said.message = secrets.scrub(said.message);
    return said;
  }
  return {...said, remarks: said.remarks.map((remark) => secrets.scrub(remark))};
}
