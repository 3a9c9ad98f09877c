import {describe, expect, it} from 'vitest';
import {failoverFrom} from '../../src/lib/operate/prepare.ts';
import type {Abilities} from '../../src/lib/ports/store.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {sampleFleet, sampleSnapshot} from '../failover/three-regions.ts';
import {fakeClock} from '../run/fake-clock.ts';
import {memoryStore} from './open-stores.ts';

const {signal} = new AbortController();
const ANSWERS = {'us-east': {role: 'primary', writable: true, offset: '6000'}} as const;

/** The gate of the loss of a failover from us-east, and who was asked how much the target lacks. */
async function gateOf({quorum, answers = true, loss}: {quorum: number; answers?: boolean; loss: Abilities['loss']['loss']}) {
  const asked: string[] = [];
  const ability: Abilities['loss'] = {
    loss: (to, own) => {
      asked.push(to);
      return loss(to, own);
    },
  };
  const stores = {orders: memoryStore(['us-east', 'eu-west', 'ap'], {abilities: {loss: ability}})};
  const open = {fleet: sampleFleet({quorum, rpoMs: quorum === 0 ? 60_000 : 0}), stores, clock: fakeClock()} as unknown as OpenFleet;
  const snapshot = sampleSnapshot({members: answers ? ANSWERS : {'us-east': null}});
  const plan = await failoverFrom(open, snapshot, {overrides: [], signal}, {witness: false, guard: null, approve: false, state: null});
  return {gate: plan.gates.find(({id}) => id === 'loss:orders'), asked};
}

const lacks = (seconds: number) => async () => ({
  ...{store: 'orders', bytes: 5000, transactions: 3, seconds, certainty: 'estimate' as const, basis: 'both were read.'},
});

describe('the loss that a failover is planned with', () => {
  it('is asked of an asynchronous store whose primary answers, and of no other', async () => {
    expect(await gateOf({quorum: 0, loss: lacks(3600)})).toMatchObject({
      gate: {verdict: 'refuse', measured: {seconds: 3600}},
      asked: ['eu-west'],
    });
    expect(await gateOf({quorum: 0, loss: lacks(0.3)})).toMatchObject({gate: {verdict: 'pass', measured: {seconds: 0.3}}});
    expect(await gateOf({quorum: 0, answers: false, loss: lacks(0.3)})).toMatchObject({gate: {verdict: 'unknown'}, asked: []});
    expect(await gateOf({quorum: 1, loss: lacks(3600)})).toMatchObject({gate: {verdict: 'pass'}, asked: []});
  });

  it('is not known, and blocks, where that cannot be told', async () => {
    const throws = () => {
      throw new Error('the vault is locked');
    };
    expect(await gateOf({quorum: 0, loss: throws})).toMatchObject({
      gate: {verdict: 'unknown', says: expect.stringContaining('lacks 5000 bytes now'), measured: {bytes: 5000, seconds: null}},
    });
  });
});
