import {describe, expect, it} from 'vitest';
import {storeChecks} from '../../src/lib/failover/store-checks.ts';
import {hasReplayed} from '../../src/lib/failover/store-world.ts';
import type {Json} from '../../src/lib/plan/json.ts';
import type {WayBack} from '../../src/lib/ports/store.ts';
import {context, FakeStore, fakeWorld, standby} from './fake-store.ts';

const MIB = 1024 * 1024;

async function ask(name: string, store: FakeStore, want: Json) {
  const check = storeChecks(fakeWorld(store)).find((each) => each.name === name);
  if (check === undefined) throw new Error(`no check ${name}`);
  return check.ask(context(), {store: 'orders', member: 'us-east', region: 'us-east'}, want, 'any');
}

function canComeBack(ways: readonly WayBack[]): FakeStore {
  const store = new FakeStore();
  store.port.abilities.rejoin = {options: async () => ways, rejoin: async () => ({bytes: null})};
  return store;
}

describe('whether a member can come back', () => {
  const ways: readonly WayBack[] = [
    {how: 'follow', bytes: 3 * MIB},
    {how: 'rewind', bytes: 30},
    {how: 'rebuild', bytes: 6000 * MIB},
  ];

  it('says how much is copied, and how long that takes at a speed that is assumed before the first copy', async () => {
    expect(await ask('store.can-rejoin', canComeBack(ways), {bytesPerSecond: null})).toMatchObject({
      holds: true,
      says: 'us-east can come back by follow (3 MiB) or rewind (30 B, about 1 s at an assumed 50 MiB a second) or rebuild (5.9 GiB, about 2 min at an assumed 50 MiB a second)',
      measured: [
        {how: 'follow', expectedMs: null},
        {how: 'rewind', expectedMs: 1000},
        {how: 'rebuild', bytes: 6000 * MIB, expectedMs: 120_000},
      ],
    });
  });

  it('goes by the last copy once there was one', async () => {
    const answer = await ask('store.can-rejoin', canComeBack(ways.slice(2)), {bytesPerSecond: 10 * MIB});
    expect(answer.says).toBe('us-east can come back by rebuild (5.9 GiB, about 10 min as fast as the last copy)');
  });

  it('does not guess where nobody knows how much it is', async () => {
    const answer = await ask('store.can-rejoin', canComeBack([{how: 'rewind', bytes: null}]), {});
    expect(answer).toMatchObject({holds: true, says: 'us-east can come back by rewind', measured: [{expectedMs: null}]});
  });

  it('does not hold when no way is left', async () => {
    expect(await ask('store.can-rejoin', canComeBack([]), {})).toMatchObject({holds: false});
  });
});

describe('whether a standby has replayed what it holds', () => {
  const behind = {applied: {lineage: 'L', epoch: 1, offset: '90'}} as const;

  it('holds when it applied all of it, or when the rest is the beginning of a record', () => {
    expect(hasReplayed(standby('ap', 100))).toBe(true);
    expect(hasReplayed(standby('ap', 100, behind))).toBe(false);
    expect(hasReplayed(standby('ap', 100, {...behind, drained: true}))).toBe(true);
  });

  it('is part of leading the others only where it is asked for', async () => {
    const store = new FakeStore();
    store.members = {'us-east': standby('us-east', 100, behind), ap: standby('ap', 100)};
    const among = ['us-east', 'ap'];
    expect(await ask('store.most-advanced', store, {among})).toMatchObject({holds: true});
    expect(await ask('store.most-advanced', store, {among, replayed: true})).toMatchObject({
      holds: false,
      says: 'us-east has not replayed all that it holds',
    });
  });
});

describe('whether a member follows', () => {
  it('is no for one that streams for a moment and whose log went another way', async () => {
    const store = new FakeStore();
    store.following = {'us-east': 'eu-west'};
    store.members = {
      'us-east': standby('us-east', 10, {upstream: 'eu-west', heardUpstreamAgoMs: 3}),
      'eu-west': standby('eu-west', 10, {role: 'primary'}),
    };
    expect(await ask('store.following', store, 'eu-west')).toMatchObject({holds: true, says: 'us-east streams from eu-west'});
    expect(await ask('store.following', store, 'ap')).toMatchObject({holds: false, says: 'us-east streams from eu-west'});
    store.members = {...store.members, 'us-east': standby('us-east', 10, {upstream: 'eu-west', heardUpstreamAgoMs: 3, diverged: true})};
    expect(await ask('store.following', store, 'eu-west')).toMatchObject({
      holds: false,
      says: 'us-east hears eu-west, but its log went another way',
    });
    store.members = {...store.members, 'us-east': standby('us-east', 10, {upstream: 'eu-west', heardUpstreamAgoMs: null})};
    expect(await ask('store.following', store, 'eu-west'), 'it called, and has gone since').toMatchObject({holds: false});
  });
});
