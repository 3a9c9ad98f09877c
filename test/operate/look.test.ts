import {describe, expect, it} from 'vitest';
import {chooseSource} from '../../src/lib/failover/plan-failover.ts';
import {planFromLook} from '../../src/lib/operate/look.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {unknown} from '../../src/lib/snapshot/cell.ts';
import {sampleFleet, sampleSnapshot} from '../failover/three-regions.ts';
import {fakeClock} from '../run/fake-clock.ts';
import {memoryStore} from './open-stores.ts';

const {signal} = new AbortController();
const MEMBERS = ['us-east', 'eu-west', 'ap'] as const;
const SILENT = Object.fromEntries(MEMBERS.map((name) => [name, unknown('timeout', `${name} did not answer in time.`, 0)]));
const WELL = sampleSnapshot({members: {'us-east': {role: 'primary', writable: true}}}).stores.orders?.members ?? {};

/** A fleet whose store answers one look after the other like this; the last one for good. */
function answering(...looks: readonly (typeof WELL)[]) {
  let asked = 0;
  const observe = async () => {
    asked += 1;
    return looks[Math.min(asked, looks.length) - 1] ?? {};
  };
  const stores = {orders: {...memoryStore(MEMBERS), observe}};
  const clock = fakeClock();
  const open = {
    fleet: sampleFleet(),
    stores,
    routers: {},
    probes: [],
    uplinks: [],
    clock,
    state: async () => Promise.reject(new Error('none')),
  };
  const plan = () => planFromLook(open as unknown as OpenFleet, signal, ({snapshot}) => chooseSource(open.fleet, snapshot, undefined));
  return {plan, asked: () => asked};
}

describe('a plan that is made from a look at the fleet', () => {
  it('is made from a second look where nobody could be asked at the first', async () => {
    const {plan, asked} = answering(SILENT, WELL);
    expect(await plan()).toMatchObject({made: 'us-east', look: {state: null, snapshot: {stores: {orders: {members: WELL}}}}});
    expect(asked()).toBe(2);
  });

  it('is refused after the second one, saying who could not be asked', async () => {
    const {plan, asked} = answering(SILENT);
    await expect(plan()).rejects.toMatchObject({code: 'primary-unknown', message: expect.stringContaining('ap did not answer in time')});
    expect(asked()).toBe(2);
  });

  it('asks nobody twice where everybody answered', async () => {
    const {plan, asked} = answering(sampleSnapshot({members: {}}).stores.orders?.members ?? {}, WELL);
    await expect(plan()).rejects.toMatchObject({code: 'no-primary'});
    expect(asked()).toBe(1);
  });
});
