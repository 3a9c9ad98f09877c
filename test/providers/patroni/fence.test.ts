import {afterEach, describe, expect, it} from 'vitest';
import {outcomeOf} from '../../../src/kit/contracts/runner.ts';
import {createFence} from '../../../src/lib/providers/patroni/fence.ts';
import {testCtx} from '../postgres/open-store.ts';
import {clusterOf, following, movedClock, type Script, type Scripted, scriptedWorld, type World} from './scripted.ts';

const LOST = {patroni: 'refuse', server: 'refused'} as const;
/** `eu` has the key and is the primary, `ap` follows it. */
const MOVED = {us: LOST, eu: {server: {recovering: false, timeline: 2}}, ap: {server: following('eu')}} as const;
const STRICT = {synchronous_mode: true, synchronous_mode_strict: true};
const SEAL_LEAKS = ['synchronous_commit=local', 'cancelled commits', 'standbys that the fleet file does not name'];

let world: World;
afterEach(() => world.close());

async function open(script: Script = {}): Promise<World> {
  world = await scriptedWorld(script);
  return world;
}

const prove = () => createFence(world.ensemble).prove(testCtx(), 'us');

describe('a former leader is stopped', () => {
  it('when its host says so and nothing answers', async () => {
    await open({members: {us: {...LOST, host: false}}});
    expect(await prove()).toMatchObject({kind: 'stopped', survivesRestart: false, leaks: []});
  });

  it('not when it answers all the same', async () => {
    await open({members: {us: {host: false}}});
    expect(await prove()).toBe(null);
  });

  it.each([true, null])('not when its host says %s', async (host) => {
    await open({members: {us: {...LOST, host}}});
    expect(await prove()).toBe(null);
  });
});

describe('a watchdog', () => {
  const clock = movedClock();
  const script = (more: Script = {}): Script => ({
    wanted: {watchdog: 'required'},
    members: MOVED,
    cluster: clusterOf('eu'),
    clock,
    ...more,
  });

  /** Looks once, and once more after the ttl of 20 s. */
  async function proveLater(ms = 20_000) {
    expect(await prove()).toBe(null);
    clock.ahead(ms);
    return prove();
  }

  it('has reset the machine when another one has held the leader key for a ttl', async () => {
    await open(script());
    expect(await proveLater()).toMatchObject({kind: 'stopped', survivesRestart: true, leaks: [expect.stringContaining('paused')]});
  });

  it('not a moment earlier', async () => {
    await open(script());
    expect(await proveLater(15_000)).toBe(null);
  });

  it.each(['off', 'automatic'] as const)('proves nothing when its mode is %s: a bare leader key is no proof', async (watchdog) => {
    await open(script({wanted: {watchdog}}));
    expect(await proveLater()).toBe(null);
  });

  it('counts anew when the key came back in between', async () => {
    await open(script());
    await prove();
    world.cluster = clusterOf('us');
    await prove();
    world.cluster = clusterOf('eu');
    expect(await proveLater(15_000)).toBe(null);
  });

  it('does not count while nobody is listed with the key', async () => {
    await open(script({cluster: clusterOf(null)}));
    expect(await proveLater()).toBe(null);
    world.cluster = clusterOf('eu');
    expect(await prove()).toBe(null);
  });

  it.each<[string, Partial<Scripted>]>([
    ['is in recovery', {server: following(null)}],
    ['does not answer', {server: 'timeout'}],
  ])('proves nothing when the new holder %s: what Patroni reads may be old', async (_, eu) => {
    await open(script({members: {...MOVED, eu}}));
    expect(await proveLater()).toBe(null);
  });

  it('proves nothing in pause, where it is disarmed', async () => {
    await open(script({cluster: {...clusterOf('eu'), pause: true}}));
    expect(await proveLater()).toBe(null);
  });

  it('proves nothing in failsafe mode, where a leader goes on without the key', async () => {
    await open(script({members: {...MOVED, ap: {...MOVED.ap, patroni: {failsafe_mode_is_active: true}}}}));
    expect(await proveLater()).toBe(null);
  });

  it('proves nothing when no other Patroni answers', async () => {
    await open(script({members: {us: LOST, eu: {...MOVED.eu, patroni: 'refuse'}, ap: {...MOVED.ap, patroni: 'refuse'}}}));
    expect(await proveLater()).toBe(null);
  });
});

describe('a former leader is sealed', () => {
  const script = (more: Script = {}): Script => ({members: MOVED, cluster: clusterOf('eu'), config: STRICT, ...more});
  const withAp = (ap: Partial<Scripted>): Script => script({members: {...MOVED, ap}});

  it('in strict synchronous mode when every other member has let go of it', async () => {
    await open(script());
    expect(await prove()).toMatchObject({kind: 'sealed', survivesRestart: true, leaks: SEAL_LEAKS});
  });

  it('also before anybody was promoted, when the key is free and all are set to follow nobody', async () => {
    const patroni = {cluster_unlocked: true};
    const nobody = {patroni, server: following(null)};
    await open(script({cluster: clusterOf(null), members: {us: LOST, eu: nobody, ap: nobody}}));
    expect(await prove()).toMatchObject({kind: 'sealed'});
  });

  it.each<[string, Script]>([
    ['one still streams from it', withAp({server: {}})],
    ['one is only cut off and set to follow it', withAp({server: {receiver: null, senderHost: null, senderPort: null}})],
    ['one is set to follow another and still connected to it', withAp({server: {...following('eu'), senderHost: 'db', senderPort: 1}})],
    [
      'one follows an address that is no member',
      withAp({server: {...following('eu'), conninfo: 'host=elsewhere port=1', senderHost: 'elsewhere'}}),
    ],
    ['one does not answer', withAp({server: 'timeout'})],
    ['the settings let commits wait for nobody', withAp({server: {...following('eu'), syncCommit: 'local'}})],
    ['it still holds the leader key', script({cluster: clusterOf('us')})],
    ['the key is not known to be free', script({cluster: clusterOf(null)})],
    ['the cluster is paused', script({cluster: {...clusterOf('eu'), pause: true}})],
    ['the mode is not synchronous', script({config: {synchronous_mode_strict: true}})],
    ['the mode is not strict, and what it waits for cannot be read', script({config: {synchronous_mode: true}})],
  ])('not when %s', async (_, given) => {
    await open(given);
    expect(await prove()).toBe(null);
  });

  describe('without strict mode', () => {
    const alive = (syncNames: string, syncCommit = 'on', ap: Partial<Scripted> = {server: {}}): Script => ({
      cluster: clusterOf('eu'),
      config: {synchronous_mode: true},
      members: {us: {patroni: 'hang', server: {syncNames, syncCommit}}, eu: MOVED.eu, ap},
    });

    it('when it still waits for those that have let go', async () => {
      await open(alive('"EU"'));
      expect(await prove()).toMatchObject({kind: 'sealed', leaks: SEAL_LEAKS});
    });

    it.each<[string, Script]>([
      ['nobody', alive('')],
      ['one that still streams', alive('2 ("eu","ap")')],
      ['anybody, and one still streams', alive('*')],
      ['a stranger', alive('"eu","stranger"')],
      ['nobody, by synchronous_commit', alive('"eu"', 'local')],
    ])('not when it waits for %s', async (_, given) => {
      await open(given);
      expect(await prove()).toBe(null);
    });
  });
});

describe('fencing', () => {
  it('is refused when nothing proves it, and nothing is done', async () => {
    await open();
    const outcome = await outcomeOf(() => createFence(world.ensemble).fence(testCtx(), 'us'));
    expect(outcome).toMatchObject({code: 'fence-impossible', exit: 77});
    expect(world.arrivals).toEqual([]);
  });

  it('answers what was found', async () => {
    await open({members: {us: {...LOST, host: false}}});
    expect(await createFence(world.ensemble).fence(testCtx(), 'us')).toMatchObject({kind: 'stopped', found: true});
  });
});
