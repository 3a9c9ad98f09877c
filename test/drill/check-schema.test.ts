import {describe, expect, it} from 'vitest';
import {parseDrill} from '../../src/lib/drill/drill-file.ts';
import {drillText, fleet} from './plans.ts';

const read = (checks: string) => parseDrill(`${drillText}abortIf: ${checks}\n`, {file: '/d.yaml', cwd: '/', fleet}).abortIf;
const messageOf = (checks: string): string => {
  try {
    read(checks);
  } catch (error) {
    return (error as Error).message;
  }
  return 'no error';
};

describe('a check of a drill file', () => {
  it.each([
    ['[{writable: false}]', [{writable: false}]],
    ['[{lagAbove: 30s}]', [{lagAboveMs: 30_000}]],
    ['[{region: ap, verdict: unhealthy}]', [{region: 'ap', verdict: ['unhealthy']}]],
    ['[{region: primary, verdict: [degraded, unhealthy]}]', [{region: 'primary', verdict: ['degraded', 'unhealthy']}]],
    ['[{region: ap, link: [stalled, broken]}]', [{link: ['stalled', 'broken'], region: 'ap', store: null}]],
    ['[{region: ap, breaker: open}]', [{breaker: 'open', region: 'ap', store: null}]],
    ['[{skewAbove: 2s}]', [{skewAboveMs: 2000, region: null, store: null}]],
    ['[{region: primary, skewBelow: 500ms}]', [{skewBelowMs: 500, region: 'primary', store: null}]],
    ['[{primary: eu-west}]', [{primary: 'eu-west', store: null}]],
    ['[{noAckFor: 1m}, {ackWithin: 2s}]', [{noAckForMs: 60_000}, {ackWithinMs: 2000}]],
    ['[{errorRateAbove: 0.5}, {p95Below: 300ms}]', [{load: {errorRateAbove: 0.5}}, {load: {p95BelowMs: 300}}]],
    ['[{exec: [./look, now], timeout: 5s}]', [{exec: ['./look', 'now'], timeoutMs: 5000}]],
    ['[{exec: [./look]}]', [{exec: ['./look'], timeoutMs: 10_000}]],
  ])('reads %s', (text, wanted) => {
    expect(read(text)).toEqual(wanted);
  });

  it.each([
    ['[{}]', 'abortIf[0]: a check asks for one of health, writable'],
    ['[{writable: true, noAckFor: 1s}]', 'a check asks for one thing, not for writable and noAckFor'],
    ['[{verdict: healthy}]', '"verdict" needs "region"'],
    ['[{writable: true, region: ap}]', '"region" goes with verdict, link, breaker, skewBelow, skewAbove, not with writable'],
    ['[{region: ap, verdict: healthy, store: orders}]', '"store" goes with link, breaker, primary, skewBelow, skewAbove, not with verdict'],
    ['[{writable: true, timeout: 1s}]', '"timeout" goes with exec'],
    ['[{region: mars, verdict: healthy}]', 'the fleet lab has no region "mars"'],
    ['[{region: mars, skewAbove: 1s}]', 'the fleet lab has no region "mars"'],
    ['[{primary: mars}]', 'the fleet lab has no region "mars"'],
    ['[{errorRateAbove: 2}]', 'abortIf[0].errorRateAbove: expected a number of at most 1'],
    ['[{region: ap, link: gone}]', 'abortIf[0].link'],
  ])('says what is wrong with %s', (text, wanted) => {
    expect(messageOf(text)).toContain(wanted);
  });
});

describe('a drill file as a whole', () => {
  const wrong = (text: string): string => {
    try {
      parseDrill(text, {file: '/d.yaml', cwd: '/', fleet, faults: {kinds: ['lose', 'freeze']}});
    } catch (error) {
      return (error as Error).message;
    }
    return 'no error';
  };
  it.each([
    [`${drillText}faults: [{kind: lose}]\n`, 'a drill has "fault" or "faults", not both'],
    ['name: x\nreaction: {none: {}}\n', 'without a fault there is nothing to react to'],
    [`${drillText}reaction: {failover: {}, none: {}}\n`, 'a drill expects one reaction, not failover and none'],
    [`${drillText}reaction: {failover: {killAt: promote}}\n`, '"killAt" goes with by: command'],
    [`${drillText}reaction: {failover: {gates: [loss]}}\n`, '"gates" goes with expect: refused'],
    [`${drillText}load: {exec: [k6], url: "http://x"}\n`, 'with "exec" the program makes the requests'],
    [`${drillText}objectives: {data: {money: 0s}}\n`, 'the fleet lab has no data class "money"'],
    [drillText.replace('lose', 'loose'), 'the fault injector of lab (lab) knows no fault "loose"'],
  ])('refuses %j', (text, wanted) => {
    expect(wrong(text)).toContain(wanted);
  });

  it('may have a planned move and no fault', () => {
    expect(parseDrill('name: x\nreaction: {switchover: {}}\n', {file: '/d.yaml', cwd: '/', fleet})).toMatchObject({
      faults: [],
      scenario: 'x',
      reaction: {kind: 'switchover', to: null},
    });
  });
});
