import {beforeEach, describe, expect, it} from 'vitest';
import {findProof, makeProof} from '../../src/lib/failover/proofs.ts';
import {storeActions} from '../../src/lib/failover/store-actions.ts';
import {storeChecks} from '../../src/lib/failover/store-checks.ts';
import type {Json} from '../../src/lib/plan/json.ts';
import {context, FakeStore, fakeWorld, standby} from './fake-store.ts';

const target = {store: 'orders', member: 'us-east', region: 'us-east'};
const args = {need: 2, others: 2, standbys: ['eu-west', 'ap'], accept: ['stopped', 'closed', 'sealed', 'hook'] as const};
const CLOSED = {kind: 'closed', at: '2026-11-21T03:00:00.000Z', survivesRestart: true, leaks: []} as const;

let store: FakeStore;
let world: ReturnType<typeof fakeWorld>;
beforeEach(() => {
  store = new FakeStore();
  store.members = {'us-east': null, 'eu-west': standby('eu-west', 100), ap: standby('ap', 100)};
  world = fakeWorld(store);
});
const sealAll = () => {
  for (const name of ['eu-west', 'ap']) store.sealed.add(name);
};
const parse = (more: object = {}) => ({...args, accept: [...args.accept], standbys: [...args.standbys], ...more});
const ask = (name: string, want: Json) => {
  const check = storeChecks(world).find((each) => each.name === name);
  return check!.ask(context(), target, want, 'any');
};

describe('the proof that the old primary cannot write', () => {
  it('is the seal for a region that says nothing, without waiting for its fence', async () => {
    sealAll();
    store.fence = () => new Promise(() => {});
    const proof = await makeProof(world, context(), target, parse());
    expect(proof).toMatchObject({kind: 'sealed', leaks: ['synchronous_commit=local', 'cancelled commits']});
    expect(store.calls).not.toContain('fence');
  });

  it('is the better one where the member can be reached, however long that takes', async () => {
    sealAll();
    store.members['us-east'] = standby('us-east', 100, {role: 'primary', writable: true});
    store.fence = () => new Promise((resolve) => setTimeout(() => resolve(CLOSED), 400));
    expect(await makeProof(world, context(), target, parse())).toMatchObject({kind: 'closed'});
  });

  it('is the seal again when a member that answers cannot be closed', async () => {
    sealAll();
    store.members['us-east'] = standby('us-east', 100, {role: 'primary', writable: true});
    expect(await makeProof(world, context(), target, parse())).toMatchObject({kind: 'sealed'});
  });

  it('is none with a standby too few, with an asynchronous store, or for a planned stop', async () => {
    store.sealed.add('eu-west');
    await expect(makeProof(world, context(), target, parse())).rejects.toThrow('cannot be fenced');
    sealAll();
    await expect(makeProof(world, context(), target, parse({need: 0}))).rejects.toThrow('cannot be fenced');
    await expect(makeProof(world, context(), target, parse({accept: ['stopped', 'closed']}))).rejects.toThrow('cannot be fenced');
  });

  it('is broken only by name', async () => {
    const proof = await makeProof(world, context(), target, parse({need: 0, accept: ['stopped', 'break-glass']}));
    expect(proof).toMatchObject({kind: 'break-glass', survivesRestart: false});
  });

  it('does not count a seal as done before this process has tried to close the member', async () => {
    sealAll();
    expect(await findProof(world, context(), target, parse({tried: true}))).toBeNull();
    await makeProof(world, context(), target, parse());
    expect(await findProof(world, context(), target, parse({tried: true}))).toMatchObject({kind: 'sealed'});
  });

  it('is gone when a standby follows again', async () => {
    sealAll();
    await makeProof(world, context(), target, parse());
    store.sealed.delete('ap');
    expect(await findProof(world, context(), target, parse())).toBeNull();
  });
});

describe('store.silent', () => {
  it('holds without any connection to the primary, and when nothing is heard', async () => {
    expect(await ask('store.silent', {standbys: ['eu-west', 'ap']})).toMatchObject({holds: true});
    store.members.ap = standby('ap', 100, {heardUpstreamAgoMs: 5000});
    expect(await ask('store.silent', {standbys: ['eu-west', 'ap']})).toMatchObject({holds: true});
  });

  it('does not hold when a fresh message came in while we listened', async () => {
    store.members.ap = standby('ap', 100, {heardUpstreamAgoMs: 3});
    expect(await ask('store.silent', {standbys: ['eu-west', 'ap']})).toMatchObject({
      holds: false,
      says: expect.stringMatching(/ap heard us-east .* it is alive/),
    });
  });
});

describe('store.sealed', () => {
  it('does not take a standby that does not answer for sealed', async () => {
    sealAll();
    store.members.ap = null;
    expect(await ask('store.sealed', {members: ['eu-west', 'ap']})).toMatchObject({holds: null});
  });
});

describe('store.catch-up', () => {
  const catchUp = () => storeActions(world).find(({name}) => name === 'store.catch-up')!;
  const to = {store: 'orders', member: 'eu-west', region: 'eu-west'};

  it('touches nothing when the target is the most advanced', async () => {
    expect(await catchUp().apply(context(), to, {among: ['eu-west', 'ap']})).toMatchObject({from: null});
    expect(store.calls).toEqual([]);
  });

  it('takes what the target lacks from the most advanced standby, and seals the target again', async () => {
    store.members.ap = standby('ap', 900);
    store.onObserve = () => {
      if (store.following['eu-west'] === 'ap') store.members['eu-west'] = standby('eu-west', 900);
    };
    expect(await catchUp().apply(context(), to, {among: ['eu-west', 'ap']})).toEqual({from: 'ap', bytes: 800});
    expect(store.calls).toEqual(['follow eu-west ap', 'seal eu-west']);
  });

  it('gives up at its deadline, before anything is promoted', async () => {
    store.members.ap = standby('ap', 900);
    await expect(catchUp().apply(context(60), to, {among: ['eu-west', 'ap']})).rejects.toThrow(/did not reach the position of ap/);
  });

  it('compares the timeline before the position', async () => {
    store.members.ap = standby('ap', 50, {durable: {lineage: 'L', epoch: 2, offset: '50'}});
    expect(await ask('store.most-advanced', {among: ['eu-west', 'ap']}).catch(() => null)).toBeNull();
    const check = storeChecks(world).find(({name}) => name === 'store.most-advanced')!;
    expect(await check.ask(context(), to, {among: ['eu-west', 'ap']}, 'any')).toMatchObject({holds: false, says: 'ap is ahead of eu-west'});
  });
});
