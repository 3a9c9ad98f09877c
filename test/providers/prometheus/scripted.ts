import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import {parseReference} from '../../../src/lib/fleet/references.ts';
import type {SecretRef} from '../../../src/lib/fleet/secrets.ts';
import {createVault} from '../../../src/lib/fleet/vault.ts';
import {type PrometheusPlace, prometheusMetrics} from '../../../src/lib/providers/prometheus/prometheus-metrics.ts';
import {freePort} from '../../servers/embedded.ts';

/** What the scripted server was asked. `fields` are those of the query, wherever they stood. */
export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly fields: Readonly<Record<string, string>>;
};

export type Scripted = {readonly url: string; readonly asked: readonly Asked[]; close(): Promise<void>};

/** A server that answers as it is told to. */
export async function scripted(answer: (asked: Asked, response: ServerResponse) => void): Promise<Scripted> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const {pathname, searchParams} = new URL(request.url ?? '/', 'http://x');
      const fields = Object.fromEntries([...searchParams, ...new URLSearchParams(body)]);
      const one = {method: request.method ?? '', path: pathname, headers: request.headers, fields};
      asked.push(one);
      answer(one, response);
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    ...{url: `http://127.0.0.1:${port}`, asked},
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** An answer of the API: series with their labels and values. */
export function matrix(
  series: readonly {labels: Record<string, string>; values: readonly (readonly [number, string])[]}[],
  more: object = {},
): string {
  const result = series.map(({labels, values}) => ({metric: labels, values}));
  return JSON.stringify({status: 'success', data: {resultType: 'matrix', result}, ...more});
}

/** The points that a real server would answer with, each with the value 1. */
export function points({start = '0', end = '0', step = '1'}: Readonly<Record<string, string>>): (readonly [number, string])[] {
  const count = Math.floor((Number(end) - Number(start)) / Number(step)) + 1;
  return Array.from({length: count}, (_, index) => [Number(start) + index * Number(step), '1'] as const);
}

export const SECRETS = {PROM_TOKEN: 'tok-ab12cd', PROM_PASSWORD: 'pw-9z8y7x', TENANT_KEY: 'key-55aa55'};
export const secret = (name: keyof typeof SECRETS): SecretRef => parseReference(`\${env:${name}}`) as SecretRef;

/** A source at this address, without a login unless told otherwise. */
export function sourceAt(url: string, place: Partial<PrometheusPlace> = {}) {
  const base = {url, token: null, login: null, headers: {}, secretHeaders: {}, caFile: null};
  return prometheusMetrics({...base, ...place}, createVault({baseDir: '/', env: SECRETS}));
}
