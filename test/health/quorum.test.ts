import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {judgeFleet} from '../../src/lib/health/judge.ts';
import {judgeEndpoint} from '../../src/lib/health/judge-endpoint.ts';
import {countVotes, type OtherView} from '../../src/lib/health/quorum.ts';
import {withMemory} from '../../src/lib/health/region-memory.ts';
import type {EndpointReading} from '../../src/lib/health/sweep.ts';
import type {ProbeResult} from '../../src/lib/ports/probe.ts';
import {mapMemory} from './memory.ts';
import {AT, endpoint, REFUSED, reading, region, UNKNOWN} from './samples.ts';

const GOOD: ProbeResult = {ok: true, latencyMs: 5, code: 'ok', detail: 'it is well'};
const BAD: ProbeResult = {ok: false, latencyMs: null, code: 'unreachable', detail: 'it cannot be reached from there'};
const MUTE: ProbeResult = {ok: null, latencyMs: null, code: 'vantage-silent', detail: 'the exporter does not answer'};
const STATUS: Partial<ProbeResult> = {ok: false, code: 'unexpected-status', detail: 'it answered 500'};
const ROLE: Partial<ProbeResult> = {ok: false, code: 'wrong-role', detail: 'is a standby, expected a primary'};
/** A view that only says whether a connection is accepted, where more is expected. */
const REACH = {sees: 'reach', whole: false} as const;
const FROZEN: Partial<ProbeResult> = {ok: false, latencyMs: null, code: 'timeout', detail: 'no answer within 1000 ms', connected: true};
const app = endpoint('app', 'eu');

function from(vantage: string, result: ProbeResult, more: Partial<OtherView> = {}): OtherView {
  return {vantage, region: null, sees: 'status', whole: true, result, attempts: 1, ...more};
}

/** What we saw, and what `a`, `b` … saw. */
function seen(own: Partial<ProbeResult>, others: readonly ProbeResult[], more: Partial<OtherView> = {}): EndpointReading {
  return {...reading(app, own), others: others.map((result, index) => from('abcdef'[index] as string, result, more))};
}

describe('an endpoint that several vantage points look at', () => {
  it.each([
    ['all find well', {}, [GOOD, GOOD], 'healthy', 'ok', 3, 3],
    ['one of the others misses', {}, [GOOD, BAD], 'healthy', 'ok', 2, 3],
    ['one of the others is silent', {}, [GOOD, MUTE], 'healthy', 'ok', 2, 3],
    ['all find down', REFUSED, [BAD, BAD], 'unhealthy', 'refused', 3, 3],
    ['we and another find down', REFUSED, [BAD, GOOD], 'unhealthy', 'refused', 2, 3],
    ['the others find down, and it answers us', {}, [BAD, BAD], 'unhealthy', 'unreachable', 2, 3],
    ['only we do not reach', REFUSED, [GOOD, GOOD], 'unknown', 'cut-off', 2, 3],
    ['only we do not reach, one is silent', REFUSED, [GOOD, MUTE], 'unknown', 'cut-off', 1, 3],
    ['we do not reach, and one other does', REFUSED, [GOOD], 'unknown', 'cut-off', 1, 2],
    ['we do not reach, and no other answers', REFUSED, [MUTE, MUTE], 'unknown', 'no-quorum', 1, 3],
    ['too few answer', {}, [MUTE, MUTE], 'unknown', 'no-quorum', 1, 3],
    ['two do not agree on', {}, [BAD], 'unknown', 'no-quorum', 1, 2],
    ['we get a wrong status and others the right one', STATUS, [GOOD, GOOD], 'degraded', 'unexpected-status', 2, 3],
    ['we cannot judge and the others find well', UNKNOWN, [GOOD, GOOD], 'healthy', 'ok', 2, 3],
    ['we cannot judge and the others find down', UNKNOWN, [BAD, BAD], 'unhealthy', 'unreachable', 2, 3],
    ['we find slow', {latencyMs: 900}, [GOOD, GOOD], 'degraded', 'slow', 1, 1],
  ] as const)('%s', (_name, own, others, verdict, code, agree, asked) => {
    expect(judgeEndpoint(seen(own, others))).toMatchObject({verdict, code, agree, asked});
  });

  it('has the wrong role whatever those say who only reach it', () => {
    const judged = judgeEndpoint(seen(ROLE, [GOOD, GOOD], REACH));
    expect(judged).toMatchObject({verdict: 'unhealthy', code: 'wrong-role', agree: 1, asked: 1});
  });

  it('is not well because it can be reached, when we could not ask what it is', () => {
    expect(judgeEndpoint(seen(UNKNOWN, [GOOD, GOOD], REACH))).toMatchObject({verdict: 'unknown', code: 'observer-overloaded'});
  });

  it('is down when it accepts our connection and is silent, whoever else can connect: the kernel does that for a frozen one', () => {
    const frozen = judgeEndpoint(seen(FROZEN, [GOOD, GOOD], REACH));
    expect(frozen).toMatchObject({verdict: 'unhealthy', code: 'timeout', agree: 1, asked: 1});
    // Where they get an answer, it is not frozen.
    expect(judgeEndpoint(seen(FROZEN, [GOOD, GOOD]))).toMatchObject({verdict: 'unknown', code: 'cut-off', agree: 2, asked: 3});
    expect(judgeEndpoint(seen(FROZEN, [BAD, BAD], REACH))).toMatchObject({verdict: 'unhealthy', agree: 3, asked: 3});
  });

  it('is not well by its status alone where more is expected and nobody has seen it', () => {
    const status = {sees: 'status', whole: false} as const;
    expect(judgeEndpoint(seen(UNKNOWN, [GOOD, GOOD], status))).toMatchObject({verdict: 'unknown', code: 'observer-overloaded'});
    const TEXT: Partial<ProbeResult> = {ok: false, code: 'unexpected-json', detail: 'it says false'};
    expect(judgeEndpoint(seen(TEXT, [GOOD, GOOD], status))).toMatchObject({verdict: 'unhealthy', code: 'unexpected-json', asked: 1});
  });

  it('says who sees what', () => {
    expect(judgeEndpoint(seen(REFUSED, [GOOD, GOOD])).reason).toBe(
      'cut off from here: 2 of 3 vantage points reach it, we do not (127.0.0.1:21001 refused the connection)',
    );
    expect(judgeEndpoint(seen({}, [BAD, BAD])).reason).toBe(
      '2 of 3 vantage points find it down (a: it cannot be reached from there); here it answers us',
    );
    expect(judgeEndpoint(seen({}, [BAD])).reason).toBe(
      '1 of 2 vantage points find it well, 1 do not; 2 would have to agree (a: it cannot be reached from there)',
    );
  });

  it('has one vote from each region, however many look from there', () => {
    const ap = [from('ap1', BAD, {region: 'ap'}), from('ap2', BAD, {region: 'ap'}), from('ap3', BAD, {region: 'ap'})];
    expect(countVotes(GOOD, [...ap, from('sa', GOOD, {region: 'sa'})])).toEqual({good: 2, bad: 1, mute: 0, of: 3, need: 2});
    const split = [from('ap1', BAD, {region: 'ap'}), from('ap2', GOOD, {region: 'ap'})];
    expect(countVotes(GOOD, split)).toEqual({good: 1, bad: 0, mute: 1, of: 2, need: 2});
  });

  it('never has both majorities, and every vote is counted once', () => {
    const result = fc.constantFrom(GOOD, BAD, MUTE);
    const view = fc.record({vantage: fc.constantFrom('a', 'b', 'c', 'd'), region: fc.constantFrom(null, 'x', 'y'), result});
    fc.assert(
      fc.property(result, fc.array(view, {maxLength: 8}), (own, views) => {
        const {good, bad, mute, of, need} = countVotes(
          own,
          views.map(({vantage, region: where, result: said}) => from(vantage, said, {region: where})),
        );
        expect(good + bad + mute).toBe(of);
        expect(good >= need && bad >= need).toBe(false);
      }),
    );
  });
});

describe('a region that several vantage points look at', () => {
  const regions = [region('eu'), region('us')];
  const db = endpoint('db', 'eu');
  const us = {...reading(endpoint('app', 'us')), others: [from('a', GOOD), from('b', GOOD)]};
  const of = (name: 'app' | 'db', own: Partial<ProbeResult>, others: readonly ProbeResult[]): EndpointReading => ({
    ...seen(own, others),
    endpoint: name === 'app' ? app : db,
  });
  const judge = (...readings: readonly EndpointReading[]) => judgeFleet({regions}, [...readings, us]);

  it('is cut off from here when only we reach none of it', () => {
    const judged = judge(of('app', REFUSED, [GOOD, GOOD]), of('db', REFUSED, [GOOD, GOOD]));
    expect(judged.regions[0]).toMatchObject({verdict: 'unknown', code: 'cut-off', agree: 2, asked: 3});
    expect(judged.regions[0]?.reason).toMatch(/^cut off from here: 2 of 3 vantage points reach it, we do not .*\(2 endpoints\)$/);
    expect(judged.regions[1]).toMatchObject({verdict: 'healthy', agree: 3, asked: 3});
  });

  it('is well when most reach what only we do not', () => {
    const judged = judge(of('app', REFUSED, [GOOD, GOOD]), of('db', {}, [GOOD, GOOD]));
    expect(judged.regions[0]).toMatchObject({verdict: 'healthy', reason: '1 endpoint healthy; only we do not reach app'});
  });

  it('is not well because a critical endpoint can be reached that only we cannot ask', () => {
    const cut = {...of('db', REFUSED, []), others: [from('a', GOOD, REACH), from('b', GOOD, REACH)]};
    expect(judge(of('app', {}, [GOOD, GOOD]), cut).regions[0]).toMatchObject({verdict: 'unknown', code: 'cut-off'});
    // Nor where no majority says so.
    expect(judge(of('app', {}, [GOOD, GOOD]), {...of('db', REFUSED, []), others: [from('a', GOOD)]}).regions[0]).toMatchObject({
      verdict: 'unknown',
    });
  });

  it('is not down because all but the vouched for are', () => {
    const metrics: EndpointReading = {...of('app', REFUSED, [BAD, BAD]), endpoint: endpoint('metrics', 'eu', {critical: false})};
    expect(judge(of('db', REFUSED, [GOOD, GOOD]), metrics).regions[0]).toMatchObject({verdict: 'degraded', code: 'refused'});
  });

  it('that nobody else looks at is cut off with us, also where others vouch for another region', () => {
    const alone = {...reading(app, REFUSED), others: []};
    const judged = judgeFleet({regions}, [alone, {...us, result: {...us.result, ...REFUSED}}]);
    expect(judged.regions).toMatchObject([
      {verdict: 'unknown', code: 'cut-off'},
      {verdict: 'unknown', code: 'cut-off', agree: 2, asked: 3},
    ]);
    // One answer from anywhere shows that the network is there.
    expect(judgeFleet({regions}, [alone, us]).regions[0]).toMatchObject({verdict: 'unhealthy'});
  });

  it('is down with everything when everybody says so: then it is not us', () => {
    const all = [
      of('app', REFUSED, [BAD, BAD]),
      {...us, ...{result: {...us.result, ...REFUSED}}, others: [from('a', BAD), from('b', BAD)]},
    ];
    const judged = judgeFleet({regions}, all as EndpointReading[]);
    expect(judged.regions.map(({verdict, agree, asked}) => [verdict, agree, asked])).toEqual([
      ['unhealthy', 3, 3],
      ['unhealthy', 3, 3],
    ]);
  });
});

describe('ten thousand blips', () => {
  it('of one vantage point at a time give no wrong verdict of a region', () => {
    const memory = mapMemory();
    const names = ['app', 'db', 'cache'];
    const regions = [region('eu'), region('us'), region('ap')];
    const where = regions.flatMap(({name}) => names.map((each) => endpoint(each, name)));
    const lost = [REFUSED, {...REFUSED, code: 'timeout'}, {...REFUSED, code: 'reset'}, UNKNOWN];
    const wrong: string[] = [];
    for (let blip = 0; blip < 10_000; blip += 1) {
      // Everything that one vantage point sees of one endpoint, of one region, or of all fails for one sweep.
      const who = blip % 3;
      const reach = Math.floor(blip / 3) % 3;
      const hit = ({name, region: at}: (typeof where)[number]) =>
        reach === 2 || (at === regions[blip % 7 === 0 ? 0 : blip % 3]?.name && (reach === 1 || name === names[blip % 3]));
      const readings = where.map((each): EndpointReading => {
        const own = who === 0 && hit(each) ? (lost[blip % 4] as Partial<ProbeResult>) : {};
        const others = ['a', 'b'].map((vantage, index) =>
          from(vantage, who === index + 1 && hit(each) ? (blip % 2 === 0 ? BAD : MUTE) : GOOD),
        );
        return {...reading(each, own), others};
      });
      const now = withMemory(judgeFleet({regions}, readings), {fleet: 'lab', at: AT + blip * 1000, memory});
      for (const {region: name, verdict, code} of now.regions) {
        const cut = verdict === 'unknown' && code === 'cut-off' && who === 0;
        if (verdict !== 'healthy' && !cut) wrong.push(`${blip} ${name} ${verdict} ${code}`);
      }
    }
    expect(wrong).toEqual([]);
    const states = [...memory.kept.values()].map((value) => (value as {state: string}).state);
    expect(states).toEqual(['healthy', 'healthy', 'healthy']);
  });
});
