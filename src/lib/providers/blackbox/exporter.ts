import type {Agent, ClientRequest, IncomingMessage} from 'node:http';
import type {SecretRef, SecretVault} from '../../fleet/secrets.ts';
import {httpModule} from '../../http-module.ts';
import type {ProbeResult} from '../../ports/probe.ts';
import {readCa} from '../tls/read-ca.ts';
import {metricsOf} from './metrics.ts';

/** A Prometheus blackbox_exporter. `url` is where it is, without `/probe`; `offsetMs` is its own `--timeout-offset`. */
export type ExporterPlace = {
  readonly url: string;
  readonly user: string | null;
  readonly password: SecretRef | null;
  readonly caFile: string | null;
  readonly offsetMs: number;
};

/** One question: what to probe, by which of its modules, and for how long the exporter may try. */
export type Question = {readonly module: string; readonly target: string; readonly timeoutMs: number};

/** What an exporter measured: its metrics by name, or why there are none. */
export type Measured = {readonly metrics: ReadonlyMap<string, number>} | {readonly trouble: ProbeResult};

export type Exporter = {ask(question: Question, signal: AbortSignal): Promise<Measured>};

/** So much of an answer is read. */
const LIMIT = 256 * 1024;

/** Connections to the exporter are kept open: it is the endpoints behind it that are asked anew each time. */
export function createExporter(place: ExporterPlace, secrets: SecretVault): Exporter {
  let agent: Promise<Agent> | null = null;
  const secure = place.url.startsWith('https:');
  const getAgent = async (): Promise<Agent> => {
    const {Agent: Kept} = httpModule(secure);
    // Without a bound of its own: a question that waited behind hanging ones would look like a silent exporter.
    return new Kept({keepAlive: true, maxSockets: Number.POSITIVE_INFINITY});
  };
  return {
    ask: async ({module, target, timeoutMs}, signal) => {
      const url = new URL(`${place.url.replace(/\/$/, '')}/probe`);
      url.searchParams.set('module', module);
      url.searchParams.set('target', target);
      const trusted = await readCa(place.caFile);
      if ('trouble' in trusted) return {trouble: {...trusted.trouble, ok: null}};
      agent ??= getAgent();
      const {request} = httpModule(secure);
      const headers = {
        'user-agent': 'regionctl',
        // The exporter takes its offset off again.
        'x-prometheus-scrape-timeout-seconds': String((timeoutMs + place.offsetMs) / 1000),
        ...(await authorization(place, secrets)),
      };
      const tls = trusted.ca === null ? {} : {ca: trusted.ca};
      const kept = await agent;
      for (let tries = 1; ; tries += 1) {
        const call = request(url, {agent: kept, headers, signal, ...tls});
        try {
          return await read(call);
        } catch (error) {
          // A kept connection may have been closed just when the question went out.
          if (tries === 1 && call.reusedSocket && !signal.aborted) continue;
          return {trouble: silent(url, error, signal)};
        }
      }
    },
  };
}

async function authorization({user, password}: ExporterPlace, secrets: SecretVault): Promise<Record<string, string>> {
  if (user === null) return {};
  const word = password === null ? '' : await secrets.reveal(password);
  return {authorization: `Basic ${Buffer.from(`${user}:${word}`).toString('base64')}`};
}

async function read(call: ClientRequest): Promise<Measured> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    call.once('response', resolve);
    // Stays for the request's life: an error after the answer must not become an uncaught one.
    call.on('error', reject);
    call.end();
  });
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > LIMIT) break;
  }
  const text = Buffer.concat(chunks).toString('utf8');
  const metrics = response.statusCode === 200 ? metricsOf(text) : new Map<string, number>();
  if (metrics.has('probe_success')) return {metrics};
  const said = (text.split('\n', 1)[0] ?? '')
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .trim()
    .slice(0, 120);
  const why = response.statusCode === 200 ? 'its answer holds no probe_success' : `it answered ${response.statusCode}: ${said}`;
  return {trouble: {ok: null, latencyMs: null, code: 'vantage-refused', detail: `the blackbox exporter could not look: ${why}`}};
}

function silent(url: URL, error: unknown, signal: AbortSignal): ProbeResult {
  const late = signal.aborted;
  const symbol = error instanceof Error && 'code' in error ? String(error.code) : 'no answer';
  const detail = `the blackbox exporter on ${url.host} does not answer (${late ? 'in time' : symbol})`;
  return {ok: null, latencyMs: null, code: 'vantage-silent', detail};
}
