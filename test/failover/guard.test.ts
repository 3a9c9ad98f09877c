import {beforeEach, describe, expect, it} from 'vitest';
import {refused} from '../../src/lib/errors.ts';
import {guardAction, guardCheck, guardStep} from '../../src/lib/failover/guard.ts';
import {makeProof} from '../../src/lib/failover/proofs.ts';
import type {Proof} from '../../src/lib/ports/store.ts';
import {context, FakeStore, fakeWorld, standby} from './fake-store.ts';

const target = {store: 'orders', member: 'us-east', region: 'us-east'};
const args = {upstream: 'eu-west', forMs: null};
const CLOSED: Proof = {kind: 'closed', at: '2026-11-21T03:00:00.000Z', survivesRestart: true, leaks: []};
const FENCE = {need: 0, others: 2, standbys: ['eu-west', 'ap'], accept: ['stopped', 'closed'] as const};
const primary = (region: string, epoch: number) => {
  const position = {lineage: 'L', epoch, offset: '100'};
  return standby(region, 100, {role: 'primary', writable: true, upstream: null, durable: position, applied: position});
};

let store: FakeStore;
let world: ReturnType<typeof fakeWorld>;
beforeEach(() => {
  store = new FakeStore();
  store.members = {'us-east': null, 'eu-west': primary('eu-west', 2), ap: standby('ap', 100)};
  world = fakeWorld(store);
});
const guard = (more: object = {}, forMs = 3000) => guardAction(world).apply(context(forMs), target, {...args, ...more});
const guarded = () => guardCheck(world).ask(context(), target, {upstream: 'eu-west'}, 'any');

describe('the guard of an old primary', () => {
  it('closes it within moments of its return, and counts what it acknowledged alone', async () => {
    let cameBackAt = 0;
    setTimeout(() => {
      cameBackAt = performance.now();
      store.members['us-east'] = primary('us-east', 1);
    }, 450);
    let closedAt = 0;
    store.fence = async () => {
      closedAt = performance.now();
      store.prove = async () => CLOSED;
      return {...CLOSED, untold: ['7', '9']};
    };
    store.port.abilities.loss = {
      loss: async () => Promise.reject(new Error('not asked')),
      since: async (_member, _mark, _signal, without = []) => ({transactions: 7 - without.length}),
    };
    world.marks.set('orders', 'snapshot');
    expect(await guard()).toMatchObject({
      late: true,
      lostWrites: 5,
      says: expect.stringContaining('5 writes that it acknowledged alone are lost'),
    });
    expect(closedAt - cameBackAt).toBeLessThan(500);
    expect(await guarded()).toMatchObject({holds: true});
  });

  it('closes it also after its claim has lapsed, and not where somebody else has come since', async () => {
    store.members['us-east'] = primary('us-east', 1);
    let held = false;
    let holder: string | null = null;
    store.port.abilities.claim = {
      claim: async () => {
        held = true;
        return ['eu-west'];
      },
      evict: async () => Promise.reject(new Error('nobody is evicted')),
      held: async () => held,
      holders: async () => ({'eu-west': holder, 'us-east': null}),
      release: async () => undefined,
    };
    store.fence = async () => {
      if (!held) throw refused('not-claimed', 'orders is not claimed by this run any more');
      return CLOSED;
    };
    holder = 'regionctl other';
    await expect(guard({forMs: 0})).rejects.toMatchObject({code: 'unguarded'});
    expect(held).toBe(false);
    holder = null;
    expect(await guard()).toMatchObject({late: true, says: expect.stringContaining('came back and was closed')});
  });

  it('does not touch a primary that nobody has passed by', async () => {
    store.members = {'us-east': primary('us-east', 1), 'eu-west': standby('eu-west', 100), ap: standby('ap', 100)};
    await expect(guard({forMs: 0})).rejects.toMatchObject({code: 'unguarded'});
    expect(store.calls).not.toContain('fence');
  });

  it('is done when the old primary follows the new one, and not when it follows somebody else', async () => {
    store.members['us-east'] = standby('us-east', 100, {upstream: 'eu-west'});
    expect(await guard({forMs: 0})).toMatchObject({says: 'us-east follows eu-west'});
    store.members['us-east'] = standby('us-east', 100, {upstream: 'mars'});
    await expect(guard({forMs: 0})).rejects.toMatchObject({code: 'unguarded'});
  });

  it('is not done by a server that stopped by itself: whoever starts it starts a primary', async () => {
    const found: Proof = {kind: 'stopped', at: CLOSED.at, survivesRestart: false, leaks: [], found: true};
    store.fence = async () => found;
    store.prove = async () => found;
    await makeProof(world, context(), target, {...FENCE, accept: [...FENCE.accept]});
    await expect(guard({forMs: 0})).rejects.toThrow(/us-east is not fenced for good: .*left unguarded/);
  });

  it('is done by one that was closed before it was stopped', async () => {
    store.fence = async () => ({...CLOSED, kind: 'stopped'});
    await makeProof(world, context(), target, {...FENCE, accept: [...FENCE.accept]});
    expect(await guard({forMs: 0})).toMatchObject({says: 'us-east is stopped, and a restart does not change that'});
  });

  it('counts what one acknowledged alone that came back before its fence, which is not skipped for being done', async () => {
    store.members['us-east'] = primary('us-east', 1);
    store.fence = async () => ({...CLOSED, untold: ['3']});
    store.prove = async () => CLOSED;
    store.port.abilities.loss = {
      loss: async () => Promise.reject(new Error('not asked')),
      since: async (_member, _mark, _signal, without = []) => ({transactions: 2 - without.length}),
    };
    world.marks.set('orders', 'snapshot');
    await makeProof(world, context(), target, {...FENCE, accept: [...FENCE.accept]});
    expect(await guarded()).toMatchObject({holds: false, says: expect.stringContaining('not counted yet')});
    expect(await guard()).toMatchObject({
      late: null,
      lostWrites: 1,
      says: expect.stringContaining('1 write that it acknowledged alone is lost'),
    });
    expect(await guarded()).toMatchObject({holds: true});
  });

  it('stays for as long as it was told, and a resumed run may be told otherwise', async () => {
    const began = performance.now();
    await expect(guard({forMs: 300})).rejects.toMatchObject({code: 'unguarded'});
    expect(performance.now() - began).toBeGreaterThan(250);
    world = {...world, guardForMs: 0};
    await expect(guard()).rejects.toMatchObject({code: 'unguarded'});
  });

  it('may be left at any time: the run goes on to its end with a warning', () => {
    const step = guardStep({store: 'orders', suffix: ''}, {member: 'us-east', region: 'us-east', upstream: 'eu-west', forMs: null});
    expect(step).toMatchObject({id: 'guard-us-east', mayLeave: true, onFailure: 'continue', pivot: false, undo: null});
  });
});
