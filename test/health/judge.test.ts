import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {judgeFleet, judgeRegion} from '../../src/lib/health/judge.ts';
import {judgeEndpoint} from '../../src/lib/health/judge-endpoint.ts';
import type {EndpointReading} from '../../src/lib/health/sweep.ts';
import {verdictExit, worstVerdict} from '../../src/lib/health/verdict.ts';
import type {ProbeResult} from '../../src/lib/ports/probe.ts';
import {endpoint, REFUSED, reading, region, UNKNOWN} from './samples.ts';

const app = endpoint('app', 'eu');
const db = endpoint('db', 'eu');
const front = endpoint('front', 'eu', {critical: false});
const SLOW: Partial<ProbeResult> = {latencyMs: 700};
const ROLE: Partial<ProbeResult> = {ok: false, code: 'wrong-role', detail: 'is a standby, expected a primary'};

describe('endpoint', () => {
  it.each([
    ['ok', {}, 'healthy', 'ok', 'app answered 200'],
    ['slow', SLOW, 'degraded', 'slow', 'answered in 700 ms, slow above 500 ms'],
    ['wrong role', ROLE, 'unhealthy', 'wrong-role', 'is a standby, expected a primary'],
    ['refused', REFUSED, 'unhealthy', 'refused', '127.0.0.1:21001 refused the connection'],
    ['unknown', UNKNOWN, 'unknown', 'observer-overloaded', 'this process stood still'],
  ] as const)('%s', (_name, result, verdict, code, reason) => {
    expect(judgeEndpoint(reading(app, result))).toMatchObject({verdict, code, reason});
  });

  it('is degraded by a warning of its probe, whatever else it says', () => {
    const warned = {warning: {code: 'certificate-expires', says: 'the certificate of a:443 is valid for 5 days.'}};
    expect(judgeEndpoint(reading(endpoint('a', 'eu'), warned))).toMatchObject({
      ...{verdict: 'degraded', code: 'certificate-expires', reason: 'the certificate of a:443 is valid for 5 days'},
    });
  });

  it('is never slow without a limit', () => {
    expect(judgeEndpoint(reading(endpoint('a', 'eu', {slowMs: null}), {latencyMs: 9000})).verdict).toBe('healthy');
  });
});

describe('region', () => {
  const judge = (...readings: EndpointReading[]) => judgeRegion('eu', readings.map(judgeEndpoint));
  it.each([
    ['all well', [reading(app), reading(front)], 'healthy', 'ok', '2 endpoints healthy'],
    [
      'critical down',
      [reading(app), reading(db, REFUSED, 2)],
      'unhealthy',
      'refused',
      'db: 127.0.0.1:21001 refused the connection, 2 times in a row (1 of 2 endpoints)',
    ],
    ['critical down, another unknown', [reading(app, UNKNOWN), reading(db, REFUSED)], 'unhealthy', 'refused', undefined],
    ['not critical down', [reading(app), reading(front, REFUSED)], 'degraded', 'refused', undefined],
    ['all down, none critical', [reading(front, REFUSED)], 'unhealthy', 'refused', undefined],
    ['slow', [reading(app, SLOW), reading(front)], 'degraded', 'slow', undefined],
    ['critical unknown', [reading(app, UNKNOWN), reading(front, REFUSED)], 'unknown', 'observer-overloaded', undefined],
    ['not critical unknown', [reading(app), reading(front, UNKNOWN)], 'degraded', 'observer-overloaded', undefined],
    ['all unknown', [reading(front, UNKNOWN)], 'unknown', 'observer-overloaded', undefined],
    ['nothing to ask', [], 'unknown', 'no-endpoints', undefined],
    [
      'two down',
      [reading(app, REFUSED), reading(db, ROLE)],
      'unhealthy',
      'refused',
      'app: 127.0.0.1:21001 refused the connection; also db (wrong-role) (2 of 2 endpoints)',
    ],
  ] as const)('%s', (_name, readings, verdict, code, reason) => {
    const judged = judge(...readings);
    expect(judged).toMatchObject({verdict, code});
    if (reason !== undefined) expect(judged.reason).toBe(reason);
  });
});

describe('fleet', () => {
  const us = endpoint('app', 'us');
  const two = {regions: [region('eu'), region('us')]};

  it('is cut off when everything in every region fails on the way', () => {
    const judged = judgeFleet(two, [reading(app, REFUSED), reading(us, {...REFUSED, code: 'timeout'})]);
    expect(judged).toMatchObject({verdict: 'unknown', code: 'cut-off'});
    expect(judged.regions.map(({verdict, code}) => [verdict, code])).toEqual([
      ['unknown', 'cut-off'],
      ['unknown', 'cut-off'],
    ]);
    expect(judged.regions[0]?.endpoints[0]).toMatchObject({verdict: 'unknown', code: 'cut-off'});
    expect(verdictExit(judged.verdict)).toBe(3);
  });

  it.each([
    ['one answered, with an error', [reading(app, REFUSED), reading(us, {...REFUSED, code: 'unexpected-status'})]],
    ['one answered well', [reading(app, REFUSED), reading(us)]],
    ['one region alone', [reading(app, REFUSED)]],
  ])('is not cut off: %s', (_name, readings) => {
    const judged = judgeFleet(two, readings);
    expect(judged.regions[0]?.verdict).toBe('unhealthy');
    expect(verdictExit(judged.verdict)).toBe(2);
  });

  it('has every region of the fleet file, asked or not', () => {
    expect(judgeFleet(two, [reading(app)]).regions.map(({region: name, verdict}) => [name, verdict])).toEqual([
      ['eu', 'healthy'],
      ['us', 'unknown'],
    ]);
  });

  it('says who is worst', () => {
    expect(judgeFleet(two, [reading(app), reading(us, REFUSED)]).reason).toContain('us unhealthy: app: 127.0.0.1:21001 refused');
  });
});

describe('always', () => {
  const results = fc.constantFrom<Partial<ProbeResult>>({}, SLOW, ROLE, REFUSED, UNKNOWN, {...REFUSED, code: 'timeout'});
  const endpoints = fc.array(fc.record({critical: fc.boolean(), region: fc.constantFrom('eu', 'us', 'ap'), result: results}), {
    maxLength: 9,
  });
  const regions = ['eu', 'us', 'ap'].map((name) => region(name));
  const judge = (parts: readonly {critical: boolean; region: string; result: Partial<ProbeResult>}[]) =>
    judgeFleet(
      {regions},
      parts.map((part, index) => reading(endpoint(`e${index}`, part.region, {critical: part.critical}), part.result)),
    );

  it('unknown is never healthy, healthy means that all were seen to be', () => {
    fc.assert(
      fc.property(endpoints, (parts) => {
        for (const judged of judge(parts).regions) {
          if (judged.verdict !== 'healthy') continue;
          expect(judged.endpoints.length).toBeGreaterThan(0);
          expect(judged.endpoints.every(({verdict}) => verdict === 'healthy')).toBe(true);
        }
      }),
    );
  });

  it('one broken endpoint hides no other: each keeps its own verdict or is cut off', () => {
    fc.assert(
      fc.property(endpoints, (parts) => {
        const all = judge(parts).regions.flatMap((judged) => judged.endpoints);
        expect(all).toHaveLength(parts.length);
        for (const one of all) {
          const alone = judgeEndpoint(one.reading);
          if (one.code !== 'cut-off') expect(one).toEqual(alone);
          else expect(alone.verdict).toBe('unhealthy');
        }
      }),
    );
  });

  it('a critical failure in one region shows, whatever the others are, unless nothing answers anywhere', () => {
    fc.assert(
      fc.property(endpoints, (parts) => {
        const judged = judge([...parts, {critical: true, region: 'eu', result: ROLE}]);
        expect(judged.regions[0]?.verdict).toBe('unhealthy');
        expect(verdictExit(judged.verdict)).toBe(2);
      }),
    );
  });

  it('gives every verdict a code and a sentence', () => {
    fc.assert(
      fc.property(endpoints, (parts) => {
        const judged = judge(parts);
        for (const one of [judged, ...judged.regions, ...judged.regions.flatMap((each) => each.endpoints)]) {
          expect(one.code).toMatch(/^[a-z-]+$/);
          expect(one.reason.length).toBeGreaterThan(5);
        }
      }),
    );
  });
});

it('orders verdicts 2 > 3 > 1 > 0, and nothing at all is unknown', () => {
  expect(verdictExit(worstVerdict(['healthy', 'unknown', 'unhealthy', 'degraded']))).toBe(2);
  expect(verdictExit(worstVerdict(['healthy', 'unknown', 'recovering']))).toBe(3);
  expect(verdictExit(worstVerdict(['healthy', 'recovering', 'degraded']))).toBe(1);
  expect(verdictExit(worstVerdict(['healthy']))).toBe(0);
  expect(verdictExit(worstVerdict([]))).toBe(3);
});
