import {describe, expect, it} from 'vitest';
import type {SteadyCheck} from '../../src/lib/drill/arguments.ts';
import {askCheck, type Senses} from '../../src/lib/drill/senses.ts';
import {known, unknown} from '../../src/lib/snapshot/cell.ts';
import {wellSenses} from './plans.ts';

const signal = new AbortController().signal;
const ask = async (check: SteadyCheck, more: Partial<Senses> = {}) => {
  const said = await askCheck({...wellSenses(), sinceAckMs: () => 40, loadNow: () => null, ...more}, check, [], signal);
  return said.map(({holds}) => holds);
};

describe('a check of a drill', () => {
  it('compares, and what cannot be told does not hold', async () => {
    const blind = unknown('cut', 'nobody can tell', 0);
    expect(await ask({health: 'healthy'})).toEqual([true, true, true]);
    expect(await ask({region: 'ap', verdict: ['degraded', 'unhealthy']})).toEqual([false]);
    expect(await ask({region: 'ap', verdict: ['healthy']}, {sampleHealth: async () => blind})).toEqual([null]);
    expect(await ask({writable: false})).toEqual([false]);
    expect(await ask({writable: false}, {writable: async () => ({holds: null, measured: null, says: 'x'})})).toEqual([null]);
    expect(await ask({lagAboveMs: 10})).toEqual([true]);
    expect(await ask({lagBelowMs: 10})).toEqual([false]);
    expect(await ask({lagAboveMs: 10}, {lagMs: async () => blind})).toEqual([null]);
  });

  it('of a link or a breaker speaks of the links to that region only', async () => {
    expect(await ask({link: ['streaming'], region: 'eu-west', store: null})).toEqual([true]);
    expect(await ask({link: ['broken'], region: 'eu-west', store: 'orders'})).toEqual([false]);
    expect(await ask({link: ['streaming'], region: 'ap', store: null})).toEqual([null]);
    expect(await ask({link: ['streaming'], region: 'eu-west', store: 'other'})).toEqual([null]);
    expect(await ask({breaker: 'closed', region: 'eu-west', store: null})).toEqual([true]);
    const row = {store: 'orders', to: 'eu-west', state: 'stalled', reason: 'x'};
    const warned = {links: async () => known([{...row, breaker: 'warn' as const}], 0, 'here')};
    expect(await ask({breaker: 'open', region: 'eu-west', store: null}, warned)).toEqual([false]);
    expect(await ask({breaker: 'closed', region: 'eu-west', store: null}, warned)).toEqual([true]);
    expect(
      await ask({breaker: 'open', region: 'eu-west', store: null}, {links: async () => known([{...row, breaker: null}], 0, 'here')}),
    ).toEqual([null]);
  });

  it('of clocks goes by the one that is furthest off, ahead or behind, and one that is silent leaves open what no other decides', async () => {
    const anywhere = {region: null, store: null};
    expect(await ask({skewBelowMs: 50, ...anywhere})).toEqual([true]);
    expect(await ask({skewBelowMs: 40, ...anywhere})).toEqual([false]);
    expect(await ask({skewAboveMs: 39, ...anywhere})).toEqual([true]);
    expect(await ask({skewAboveMs: 40, ...anywhere})).toEqual([false]);
    expect(await ask({skewAboveMs: 39, region: 'us-east', store: null})).toEqual([false]);
    expect(await ask({skewAboveMs: 39, region: 'ap', store: null})).toEqual([null]);
    expect(await ask({skewAboveMs: 39, region: null, store: 'other'})).toEqual([null]);
    const [us, eu] = await wellSenses().clocks(signal);
    const half = {clocks: async () => [us, {...eu, offsetMs: null}] as Awaited<ReturnType<Senses['clocks']>>};
    expect(await ask({skewBelowMs: 50, ...anywhere}, half)).toEqual([null]);
    expect(await ask({skewBelowMs: 2, ...anywhere}, half)).toEqual([false]);
    expect(await ask({skewAboveMs: 50, ...anywhere}, half)).toEqual([null]);
    expect(await ask({skewAboveMs: 2, ...anywhere}, half)).toEqual([true]);
    expect(await ask({skewBelowMs: 50, ...anywhere}, {clocks: async () => []})).toEqual([null]);
    const except = await askCheck(
      {...wellSenses(), sinceAckMs: () => null, loadNow: () => null},
      {skewBelowMs: 40, ...anywhere},
      ['eu-west'],
      signal,
    );
    expect(except).toEqual([
      {check: 'clocks less than 40 ms off', holds: true, says: 'the clock of us-east is 3 ms ahead of this machine'},
    ]);
  });

  it('of a primary says where it is, and null where none is seen', async () => {
    expect(await ask({primary: 'us-east', store: null})).toEqual([true]);
    expect(await ask({primary: 'ap', store: 'orders'})).toEqual([false]);
    expect(await ask({primary: 'ap', store: null}, {primaries: async () => ({orders: known(null, 0, 'here')})})).toEqual([null]);
    expect(await ask({primary: 'ap', store: null}, {primaries: async () => ({})})).toEqual([null]);
  });

  it('of the witness and the load goes by what they measure now', async () => {
    expect(await ask({noAckForMs: 30})).toEqual([true]);
    expect(await ask({ackWithinMs: 30})).toEqual([false]);
    expect(await ask({noAckForMs: 30}, {sinceAckMs: () => null})).toEqual([null]);
    expect(await ask({load: {errorRateAbove: 0.5}})).toEqual([null]);
    const busy = {loadNow: () => ({requests: 100, errors: 60, errorRate: 0.6, p95Ms: 120})};
    expect(await ask({load: {errorRateAbove: 0.5}}, busy)).toEqual([true]);
    expect(await ask({load: {errorRateBelow: 0.5}}, busy)).toEqual([false]);
    expect(await ask({load: {p95BelowMs: 200}}, busy)).toEqual([true]);
    expect(await ask({load: {p95AboveMs: 200}}, busy)).toEqual([false]);
  });

  it('of a program goes by its exit code: 0 yes, 1 no, anything else unknown', async () => {
    const exits = (code: number | null) => ask({exec: ['x'], timeoutMs: 1}, {exec: async () => ({code, says: 'x'})});
    expect([await exits(0), await exits(1), await exits(2), await exits(null)]).toEqual([[true], [false], [null], [null]]);
  });
});
