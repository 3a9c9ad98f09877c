import type {ServerResponse} from 'node:http';
import {describe, expect, it} from 'vitest';
import {metricsContract} from '../../../src/kit/contracts/metrics.ts';
import {outcomeOf} from '../../../src/kit/contracts/runner.ts';
import type {PrometheusPlace} from '../../../src/lib/providers/prometheus/prometheus-metrics.ts';
import {deadPort} from '../listener.ts';
import {type Asked, matrix, points, SECRETS, scripted, secret, sourceAt} from './scripted.ts';

const HOUR = {from: 1_772_323_200_000, to: 1_772_326_800_000, stepMs: 300_000};
const live = (): AbortSignal => AbortSignal.timeout(10_000);

/** Asks a server that answers like this, and says what came of it. */
async function ask(
  answer: (asked: Asked, response: ServerResponse) => void,
  {query = 'up', range = HOUR, place = {}}: {query?: string; range?: typeof HOUR; place?: Partial<PrometheusPlace>} = {},
) {
  const server = await scripted(answer);
  const source = sourceAt(server.url, place);
  const outcome = await source.series(query, range, live()).then(
    (value) => ({value, error: null}),
    (error: unknown) => ({value: null, error: error as Error & {code: string; exit: number; suggestions: string[]}}),
  );
  await source.close?.();
  await server.close();
  const said =
    outcome.error === null ? null : `${outcome.error.code} ${outcome.error.exit}: ${outcome.error.message.replaceAll(server.url, 'URL')}`;
  const remarks = outcome.value?.remarks.map((remark) => remark.replaceAll(server.url, 'URL')) ?? null;
  return {...outcome, remarks, said, asked: server.asked, suggestions: outcome.error?.suggestions ?? []};
}
const sends =
  (status: number, body: string, headers: Record<string, string> = {}) =>
  (_: Asked, response: ServerResponse) =>
    void response.writeHead(status, headers).end(body);

describe('what is asked', () => {
  it('the range in seconds, by GET, below the path of the address', async () => {
    const server = await scripted(sends(200, matrix([])));
    const source = sourceAt(`${server.url}/prometheus/?x=1`, {headers: {'X-Scope-OrgID': 'shop'}});
    await source.series('sum(rate(a{region="eu"}[5m]))', HOUR, live());
    expect(server.asked[0]).toMatchObject({
      ...{method: 'GET', path: '/prometheus/api/v1/query_range'},
      fields: {x: '1', query: 'sum(rate(a{region="eu"}[5m]))', start: '1772323200', end: '1772326800', step: '300'},
      headers: {'x-scope-orgid': 'shop', accept: 'application/json'},
    });
    expect(server.asked[0]?.headers.authorization).toBeUndefined();
    await source.close?.();
    await server.close();
  });

  it('a long query goes by POST', async () => {
    const query = `sum(${'a'.repeat(2000)})`;
    const {asked} = await ask(sends(200, matrix([])), {query});
    expect(asked[0]).toMatchObject({method: 'POST', fields: {query, start: '1772323200'}});
  });

  it.each<[string, Partial<PrometheusPlace>, object]>([
    ['a token', {token: secret('PROM_TOKEN')}, {authorization: 'Bearer tok-ab12cd'}],
    [
      'user and password',
      {login: {user: 'ops', password: secret('PROM_PASSWORD')}},
      {authorization: `Basic ${Buffer.from('ops:pw-9z8y7x').toString('base64')}`},
    ],
    ['a secret header', {secretHeaders: {'X-Api-Key': secret('TENANT_KEY')}}, {'x-api-key': 'key-55aa55'}],
  ])('with %s', async (_, place, headers) => {
    expect((await ask(sends(200, matrix([])), {place})).asked[0]?.headers).toMatchObject(headers);
  });

  it('a range of more points than servers answer with is asked in pieces, and no point is lost or twice', async () => {
    const range = {from: 0, to: 25_000 * 300_000, stepMs: 300_000};
    const {asked, value} = await ask(
      (one, response) => response.end(matrix([{labels: {b: '1', a: '2'}, values: points(one.fields)}], {warnings: ['one'], infos: null})),
      {range},
    );
    expect(asked.map(({fields}) => points(fields).length)).toEqual([11_000, 11_000, 3001]);
    expect(value?.sets).toHaveLength(1);
    expect(value?.sets[0]?.readings.map(({at}) => at)).toEqual(Array.from({length: 25_001}, (_, index) => index * 300_000));
    expect(value?.remarks).toHaveLength(1);
  });
});

describe('what is answered', () => {
  it('numbers, and what is none', async () => {
    const values = [
      [1, '1.5'],
      [2.5, 'NaN'],
      [3, '+Inf'],
      [4, '-Inf'],
      [5, '1e3'],
    ] as const;
    const {value} = await ask(sends(200, matrix([{labels: {region: 'eu'}, values}])));
    expect(value?.sets).toEqual([
      {
        labels: {region: 'eu'},
        readings: [
          {at: 1000, value: 1.5},
          {at: 2500, value: Number.NaN},
          {at: 3000, value: Number.POSITIVE_INFINITY},
          {at: 4000, value: Number.NEGATIVE_INFINITY},
          {at: 5000, value: 1000},
        ],
      },
    ]);
  });

  it.each([
    [
      'Prometheus: warnings and infos',
      {warnings: ['PromQL warning: a'], infos: ['PromQL info: metric might not be a counter']},
      ['URL says: PromQL warning: a', 'URL says: PromQL info: metric might not be a counter'],
      undefined,
    ],
    [
      'Thanos: a partial response',
      {warnings: ['receive series from Addr: store-1:\n unavailable']},
      ['URL says: receive series from Addr: store-1: unavailable'],
      true,
    ],
    ['VictoriaMetrics: isPartial and stats', {isPartial: true, stats: {seriesFetched: '2'}}, ['URL says that its answer is partial'], true],
    ['Mimir: nulls', {warnings: null, infos: null, errorType: ''}, [], undefined],
  ])('%s', async (_, more, remarks, partial) => {
    const answer = await ask(sends(200, matrix([], more)));
    expect([answer.remarks, answer.value?.partial]).toEqual([remarks, partial]);
  });

  it.each<[string, number, string, string]>([
    [
      'Prometheus: a query that is none',
      400,
      '{"status":"error","errorType":"bad_data","error":"invalid parameter \\"query\\": 1:5: parse error"}',
      'metrics-refused 69: URL refuses the query (400, bad_data): invalid parameter "query": 1:5: parse error',
    ],
    [
      'Prometheus: too many samples',
      422,
      '{"status":"error","errorType":"execution","error":"query processing would load too many samples"}',
      'metrics-refused 69: URL refuses the query (422, execution): query processing would load too many samples',
    ],
    [
      'Prometheus: its own deadline',
      503,
      '{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}',
      'metrics-refused 69: URL refuses the query (503, timeout): query timed out in expression evaluation',
    ],
    ['Mimir: no tenant', 401, 'no org id\n', 'metrics-refused 69: URL answers 401: no org id'],
    [
      'VictoriaMetrics: an error',
      422,
      '{"status":"error","errorType":"422","error":"cannot parse"}',
      'metrics-refused 69: URL refuses the query (422, 422): cannot parse',
    ],
    [
      'a proxy that has lost its server',
      503,
      '<html><body><h1>503</h1>\u001b[31mService Unavailable</body></html>',
      'metrics-refused 69: URL answers 503: 503 [31mService Unavailable',
    ],
    [
      'an error with status 200',
      200,
      '{"status":"error","errorType":"internal","error":"boom"}',
      'metrics-refused 69: URL refuses the query (200, internal): boom',
    ],
    [
      'a page',
      200,
      '<!doctype html><title>Grafana</title>',
      'metrics-bad-answer 69: URL answers with something that is no answer of this API',
    ],
    ['nothing', 200, '', 'metrics-bad-answer 69: URL answers with nothing'],
    [
      'no JSON',
      200,
      '{"status":"success","data":{"resultType":"mat',
      'metrics-bad-answer 69: URL answers with something that is no answer of this API',
    ],
    [
      'a vector',
      200,
      '{"status":"success","data":{"resultType":"vector","result":[]}}',
      'metrics-bad-answer 69: URL answers with a result of type vector instead of a matrix',
    ],
    [
      'a matrix without labels',
      200,
      '{"status":"success","data":{"resultType":"matrix","result":[{"values":[]}]}}',
      'metrics-bad-answer 69: URL answers with a matrix that is none (0.metric)',
    ],
    [
      'values that are none',
      200,
      '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,2]]}]}}',
      'metrics-bad-answer 69: URL answers with a matrix that is none (values)',
    ],
    [
      'a value that is no number',
      200,
      '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"one"]]}]}}',
      'metrics-bad-answer 69: URL answers with a value that is no number: "one"',
    ],
    [
      'a native histogram',
      200,
      '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"latency"},"histograms":[[1,{}]]}]}}',
      'metrics-histogram 69: URL answers with a native histogram: {__name__="latency"}',
    ],
  ])('%s', async (_, status, body, said) => expect((await ask(sends(status, body))).said).toBe(said));

  it('a redirect is not followed', async () => {
    const {said, asked} = await ask(sends(302, '', {location: '/login'}));
    expect(said).toBe('metrics-refused 69: URL answers with a redirect (302), which is not followed');
    expect(asked).toHaveLength(1);
  });

  it('says what to do next', async () => {
    expect((await ask(sends(401, ''))).suggestions[0]).toContain('X-Scope-OrgID');
    expect((await ask(sends(404, 'page not found'))).suggestions[0]).toContain('before /api/v1');
  });
});

describe('hostile servers', () => {
  it('an answer that is cut off', async () => {
    const {said, asked} = await ask((_, response) => {
      response.writeHead(200, {'content-length': '1000'});
      response.write('{"status":"succ');
      setTimeout(() => response.destroy(), 20);
    });
    expect(said).toBe('metrics-unreachable 69: URL does not answer: it closed the connection before its answer was complete');
    // A kept connection may end by chance: it is asked once more, and not for ever.
    expect(asked).toHaveLength(2);
  });

  it('an answer that never ends', async () => {
    const server = await scripted((_, response) => {
      const timer = setInterval(() => response.write(' '), 5);
      response.on('close', () => clearInterval(timer));
    });
    const source = sourceAt(server.url);
    const late = new AbortController();
    setTimeout(() => late.abort(new Error('late')), 100);
    expect(await outcomeOf(() => source.series('up', HOUR, late.signal))).toMatchObject({message: 'late'});
    await source.close?.();
    await server.close();
  });

  it('an answer that is too large', async () => {
    const block = Buffer.alloc(1024 * 1024, 32);
    const {said} = await ask((_, response) => {
      const write = (): void => {
        while (!response.destroyed && response.write(block));
        if (!response.destroyed) response.once('drain', write);
      };
      write();
    });
    expect(said).toBe('metrics-too-large 69: URL answers with more than 64 MiB');
  });

  it('what a server repeats of its secrets is taken out', async () => {
    const place = {token: secret('PROM_TOKEN'), secretHeaders: {'X-Api-Key': secret('TENANT_KEY')}};
    const {said} = await ask(
      ({headers}, response) => response.writeHead(401).end(`bad: ${headers.authorization} ${headers['x-api-key']}`),
      {place},
    );
    expect(said).toBe('metrics-refused 69: URL answers 401: bad: Bearer ••• •••');
    const {remarks} = await ask(({headers}, response) => response.end(matrix([], {warnings: [`from ${headers.authorization}`]})), {place});
    expect(remarks).toEqual(['URL says: from Bearer •••']);
  });

  it('a query that is missing is told before anybody is asked', async () => {
    const {said, asked} = await ask(sends(200, matrix([])), {query: ' '});
    expect(said).toBe('metrics-refused 69: URL needs a query');
    expect(asked).toEqual([]);
  });
});

metricsContract({describe, it, expect}, async () => {
  const server = await scripted(({fields, headers}, response) => {
    if (fields.query === 'wrong(')
      return response.writeHead(400).end(`{"status":"error","errorType":"bad_data","error":"for ${headers.authorization}"}`);
    const values = points(fields).filter(([seconds]) => seconds * 1000 >= HOUR.from);
    return response.end(matrix(fields.query === 'none' || values.length === 0 ? [] : [{labels: {region: 'eu'}, values}]));
  });
  const silent = await scripted(() => undefined);
  const place = {login: {user: 'ops', password: secret('PROM_PASSWORD')}, secretHeaders: {'X-Api-Key': secret('TENANT_KEY')}};
  const sources = {
    metrics: sourceAt(server.url, place),
    unreachable: sourceAt(`http://127.0.0.1:${await deadPort()}`, place),
    hanging: sourceAt(silent.url, place),
  };
  return {
    ...sources,
    ...{query: 'up', range: HOUR, empty: 'none', wrong: 'wrong(', secrets: Object.values(SECRETS)},
    close: async () => {
      for (const source of Object.values(sources)) await source.close?.();
      await Promise.all([server.close(), silent.close()]);
    },
  };
});
