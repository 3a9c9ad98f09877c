import {afterEach, describe, expect, it} from 'vitest';
import {outcomeOf} from '../../../src/kit/contracts/runner.ts';
import {inspect} from '../../../src/lib/providers/patroni/inspect.ts';
import {createRejoin} from '../../../src/lib/providers/patroni/rejoin.ts';
import {timings} from '../../../src/lib/providers/patroni/timings.ts';
import {testCtx} from '../postgres/open-store.ts';
import {clusterOf, following, type Script, scriptedWorld, type World} from './scripted.ts';

let world: World;
afterEach(() => world.close());

async function open(script: Script = {}): Promise<World> {
  world = await scriptedWorld(script);
  return world;
}

const signal = (): AbortSignal => AbortSignal.timeout(5000);
const server = (name: string, state: object) => Object.assign(world.members, {[name]: {patroni: {}, server: state}});

describe('the ways back', () => {
  it('are to follow and to be rebuilt', async () => {
    await open({members: {us: {server: {durable: '1500'}}}});
    expect(await createRejoin(world.ensemble).options('eu', signal())).toEqual([
      {how: 'follow', bytes: 500},
      {how: 'rebuild', bytes: 4096},
    ]);
  });

  it('are none for the leader, and none where no Patroni runs', async () => {
    await open({members: {eu: {patroni: 'refuse', server: 'refused'}}});
    expect(await createRejoin(world.ensemble).options('us', signal())).toEqual([]);
    expect(await createRejoin(world.ensemble).options('eu', signal())).toEqual([]);
  });

  it('lead nowhere without a leader', async () => {
    await open({cluster: clusterOf(null)});
    expect(await outcomeOf(() => createRejoin(world.ensemble).options('eu', signal()))).toMatchObject({code: 'no-primary', exit: 69});
  });
});

describe('following', () => {
  it.each(['follow', 'rewind'] as const)(
    'by %s waits until the member streams and has caught up, and asks Patroni for nothing',
    async (how) => {
      await open({members: {us: {server: {durable: '1500', timeline: 2}}, eu: {server: 'starting'}}});
      setTimeout(() => server('eu', {timeline: 1, applied: '1500'}), 60);
      setTimeout(() => server('eu', {timeline: 2, applied: '1499'}), 120);
      setTimeout(() => server('eu', {timeline: 2, applied: '1500'}), 240);
      const began = performance.now();
      expect(await createRejoin(world.ensemble).rejoin(testCtx(), 'eu', how, 'us')).toEqual({bytes: null});
      expect(performance.now() - began).toBeGreaterThan(230);
      expect(world.arrivals).toEqual([]);
    },
  );

  it('gives up in time to rebuild, and says how it stands', async () => {
    await open({members: {us: {server: {timeline: 2}}, eu: {patroni: {state: 'start failed'}, server: following(null)}}});
    const began = performance.now();
    const outcome = await outcomeOf(() => createRejoin(world.ensemble).rejoin(testCtx('run-1', 600), 'eu', 'follow', 'us'));
    expect(outcome).toMatchObject({code: 'cannot-follow', exit: 77});
    expect(outcome.message).toBe('eu is not back in orders: its receiver is not connected; Patroni says that it is "start failed".');
    expect(performance.now() - began).toBeLessThan(500);
  });
});

describe('a server whose data does not fit', () => {
  it('is given up after half a minute without a stream, long before the deadline', async () => {
    await open({members: {us: {server: {timeline: 2}}, eu: {server: following(null)}}});
    let moved = 0;
    const ctx = testCtx('run-1', 3_600_000);
    setTimeout(() => {
      moved = 31_000;
    }, 200);
    const outcome = await outcomeOf(() =>
      createRejoin(world.ensemble).rejoin({...ctx, now: () => ctx.now() + moved}, 'eu', 'follow', 'us'),
    );
    expect(outcome).toMatchObject({code: 'cannot-follow', exit: 77});
  });
});

describe('rebuilding', () => {
  it("asks the member's own Patroni, and is not content with the server that was there before", async () => {
    await open();
    world.onOrder = () => {
      setTimeout(() => server('eu', {startedAt: 2}), 150);
      return {status: 200, text: 'reinitialize started'};
    };
    const began = performance.now();
    expect(await createRejoin(world.ensemble).rejoin(testCtx(), 'eu', 'rebuild', 'us')).toEqual({bytes: null});
    expect(performance.now() - began).toBeGreaterThan(140);
    expect(world.arrivals).toMatchObject([{member: 'eu', path: '/reinitialize', body: {}}]);
  });

  it('goes along with one that is under way', async () => {
    await open({members: {eu: {server: 'refused'}}});
    world.onOrder = () => {
      setTimeout(() => server('eu', {}), 50);
      return {status: 503, text: 'reinitialize already in progress'};
    };
    expect(await createRejoin(world.ensemble).rejoin(testCtx(), 'eu', 'rebuild', 'us')).toEqual({bytes: null});
  });

  it('is refused for the leader, and when Patroni refuses it', async () => {
    await open();
    const rejoin = (name: string) => outcomeOf(() => createRejoin(world.ensemble).rejoin(testCtx(), name, 'rebuild', 'us'));
    expect(await rejoin('us')).toMatchObject({code: 'patroni-refused', exit: 77});
    expect(world.arrivals).toEqual([]);
    world.onOrder = () => ({status: 503, text: 'Cluster has no leader, can not reinitialize'});
    const message = 'Patroni does not rebuild eu: Cluster has no leader, can not reinitialize (503).';
    expect(await rejoin('eu')).toMatchObject({code: 'patroni-refused', message});
  });
});

describe('what doctor learns', () => {
  it('the worst case of a loss that Patroni notices by itself', async () => {
    await open({config: {ttl: 30, loop_wait: 10}});
    const {detectMs, why} = await timings(world.ensemble, signal());
    expect(detectMs).toBe(42_000);
    expect(why).toContain('ttl 30 s + loop_wait 10 s');
  });

  it('versions, names, times and what is no fence', async () => {
    const members = [
      {name: 'us', role: 'leader', state: 'running'},
      {name: 'eu', role: 'replica', state: 'running', lag: 0},
      {name: 'stranger', role: 'replica', state: 'running', lag: 0},
    ];
    await open({cluster: {members, pause: true}, config: {ttl: 5}, members: {ap: {patroni: 'refuse', server: 'refused'}}});
    const findings = await inspect(world.ensemble, signal());
    const notable = findings.filter(({verdict}) => verdict !== 'pass');
    expect(notable.map(({check, verdict}) => `${verdict} ${check}`)).toEqual([
      'warning orders us role',
      'warning orders eu role',
      'unknown orders ap settings',
      'warning orders us patroni-version',
      'warning orders eu patroni-version',
      'unknown orders ap patroni',
      'warning orders ttl',
      'warning orders fencing',
    ]);
  });
});
