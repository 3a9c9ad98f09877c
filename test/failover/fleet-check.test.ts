import {createServer, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import fc from 'fast-check';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {refused} from '../../src/lib/errors.ts';
import {evaluate, pointed} from '../../src/lib/failover/fleet-check.ts';
import {baselineOf, judgeLatency, measureP95, percentile} from '../../src/lib/failover/latency.ts';
import type {CheckSpec} from '../../src/lib/fleet/fleet.ts';
import type {Json} from '../../src/lib/plan/json.ts';

const signal = () => AbortSignal.timeout(5000);
let server: Server;
let url: string;
let delayMs = 0;
beforeAll(async () => {
  server = createServer((request, response) => {
    setTimeout(() => {
      response.statusCode = request.url === '/broken' ? 503 : 200;
      response.end(request.url === '/counts' ? '{"orders":{"total":"9007199254740993"},"list":[1,2]}' : 'all is well');
    }, delayMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

const http = (path: string, more: object = {}): CheckSpec => ({name: 'shop', http: `${url}${path}`, status: 200, contains: null, ...more});
const equal = (left: object, right: object, tolerance = 0): CheckSpec => ({name: 'books', equal: [left, right] as never, tolerance});
const sql = (values: Readonly<Record<string, Json>>) => async (store: string, query: string) => {
  const value = values[`${store}: ${query}`];
  if (value === undefined) throw new Error(`${store} does not answer`);
  return value;
};
const ask = (check: CheckSpec, values: Readonly<Record<string, Json>> = {}) => evaluate(check, sql(values), signal());

describe('a check through the front door', () => {
  it('looks at status and text', async () => {
    expect(await ask(http('/'))).toMatchObject({holds: true});
    expect(await ask(http('/', {contains: 'well'}))).toMatchObject({holds: true});
    expect(await ask(http('/', {contains: 'ill'}))).toMatchObject({holds: false, says: expect.stringContaining('does not contain "ill"')});
    expect(await ask(http('/broken'))).toMatchObject({holds: false, says: expect.stringContaining('answered 503, not 200')});
  });

  it('is unknown when nobody answers', async () => {
    expect(await ask({name: 'x', http: 'http://127.0.0.1:1/', status: 200, contains: null})).toMatchObject({holds: null});
  });
});

describe('a query that the server refuses', () => {
  it('is unknown for good, unlike a server that does not answer', async () => {
    const check = equal({store: 'orders', sql: 'selec 1'}, {value: 1});
    const refuse = () => Promise.reject(refused('bad-query', 'us-east refuses the query: syntax error'));
    expect(await evaluate(check, refuse, signal())).toMatchObject({
      holds: null,
      forGood: true,
      says: expect.stringContaining('syntax error'),
    });
    expect(await ask(check)).toMatchObject({holds: null, forGood: false});
  });
});

describe('two values that must be equal', () => {
  const left = {store: 'orders', sql: 'select count(*) from orders'};
  const right = {store: 'orders', sql: 'select count(*) from payments'};
  const both = (a: Json, b: Json) => ({'orders: select count(*) from orders': a, 'orders: select count(*) from payments': b});

  it('from two queries, exactly, also beyond what a double holds', async () => {
    expect(await ask(equal(left, right), both('9007199254740993', '9007199254740993'))).toMatchObject({holds: true});
    expect(await ask(equal(left, right), both('9007199254740993', '9007199254740992'))).toMatchObject({
      holds: false,
      says: 'books: 9007199254740993 does not equal 9007199254740992',
    });
  });

  it('within a tolerance, and as text when they are no numbers', async () => {
    expect(await ask(equal(left, right, 2), both(10, '12'))).toMatchObject({holds: true});
    expect(await ask(equal(left, right, 1), both(10, '12'))).toMatchObject({holds: false});
    expect(await ask(equal(left, right), both('open', 'open'))).toMatchObject({holds: true});
    expect(await ask(equal(left, right), both('open', null))).toMatchObject({holds: false});
  });

  it('from a query and an answer', async () => {
    const counts = {http: `${url}/counts`, json: '/orders/total'};
    expect(await ask(equal(left, counts), both('9007199254740993', 0))).toMatchObject({holds: true});
    expect(await ask(equal(left, {...counts, json: '/orders/missing'}), both(1, 0))).toMatchObject({holds: null});
    expect(await ask(equal({value: 'all is well'}, {http: `${url}/`, json: null}))).toMatchObject({holds: true});
  });

  it('unknown, neither good nor bad, when one cannot be read', async () => {
    expect(await ask(equal(left, right))).toMatchObject({holds: null, says: expect.stringContaining('orders does not answer')});
    expect(await ask(equal({value: 1}, {http: `${url}/broken`, json: null}))).toMatchObject({holds: null});
  });
});

describe('a JSON pointer (RFC 6901)', () => {
  it('leads to every value of any document, whatever its keys are called', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.integer()), (object) => {
        for (const [key, value] of Object.entries(object)) {
          const token = key.replaceAll('~', '~0').replaceAll('/', '~1');
          expect(pointed({a: [{...object}]}, `/a/0/${token}`)).toBe(value);
        }
      }),
    );
  });

  it('leads nowhere for what is not there', () => {
    for (const pointer of ['/b', '/a/1', '/a/00', '/a/-', '/a/0/x/y', '/constructor'])
      expect(() => pointed({a: [{x: 1}]}, pointer), pointer).toThrow('nothing at');
  });
});

describe('latency', () => {
  it('the percentile is one of the values, and at most a share of them lies above it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({noNaN: true, min: 0, max: 1e6}), {minLength: 1}),
        fc.double({min: 0.01, max: 1, noNaN: true}),
        (values, share) => {
          const value = percentile(values, share);
          expect(values).toContain(value);
          expect(values.filter((each) => each > value).length).toBeLessThanOrEqual((1 - share) * values.length + 1e-9);
        },
      ),
    );
  });

  it('is measured from outside, and worse than before only when it is twice that and noticeable', async () => {
    delayMs = 20;
    const p95 = await measureP95(`${url}/`, signal(), () => performance.now());
    delayMs = 0;
    expect(p95).toBeGreaterThanOrEqual(19);
    const earlier = (p95Ms: number) => ({p95Ms, at: 0});
    expect(judgeLatency('front', 290, earlier(2))).toMatchObject({holds: true});
    expect(judgeLatency('front', 150, earlier(100))).toMatchObject({holds: true});
    expect(judgeLatency('front', 450, earlier(100))).toMatchObject({holds: false, says: 'the p95 of front is 450 ms, it was 100 ms'});
    expect(judgeLatency('front', 250, null)).toMatchObject({holds: true, says: expect.stringContaining('nothing is known from before')});
    expect([baselineOf(undefined), baselineOf({p95Ms: 'x', at: 1}), baselineOf({p95Ms: 5, at: 1})]).toEqual(
      [null, null, earlier(5)].map((b) => b && {...b, at: 1}),
    );
  });
});
