import {afterEach, describe, expect, it} from 'vitest';
import {outcomeOf} from '../../../src/kit/contracts/runner.ts';
import {secretReference} from '../../../src/lib/fleet/references.ts';
import type {Move} from '../../../src/lib/providers/patroni/fit-picture.ts';
import {handover} from '../../../src/lib/providers/patroni/handover.ts';
import {testCtx} from '../postgres/open-store.ts';
import {clusterOf, following, REST_PASSWORD, type Script, scriptedWorld, type World} from './scripted.ts';

const PLANNED: Move = {from: 'us', to: 'eu', planned: true};
const UNPLANNED: Move = {from: 'us', to: 'eu', planned: false};
const LOST = {patroni: 'refuse', server: 'refused'} as const;
const LOGIN = {restUser: 'operator', restPassword: secretReference('env', 'REST_PASSWORD')} as const;

let world: World;
afterEach(() => world.close());

async function open(script: Script = {}): Promise<World> {
  world = await scriptedWorld(script);
  return world;
}

/** What Patroni does with a good order: the candidate has the key and is a primary on the next timeline, the former leader is stopped. */
function promote({members}: World, name = 'eu', former: string | null = 'us'): void {
  world.cluster = clusterOf(name);
  Object.assign(members, {[name]: {patroni: {}, server: {recovering: false, timeline: 2, durable: '2000'}}});
  if (former !== null && members[former]?.server !== 'refused') Object.assign(members, {[former]: {patroni: {}, server: 'refused'}});
}

const POSITION = {lineage: '7000000000000000001', epoch: 2, offset: '2000'};
const paths = () => world.arrivals.map(({member, path}) => `${member}${path}`);

describe('a planned handover', () => {
  it('asks the leader once, with the login, and answers where the new primary begins', async () => {
    await open({wanted: LOGIN});
    world.onOrder = () => {
      promote(world);
      return 'hang';
    };
    expect(await handover(world.ensemble, testCtx(), PLANNED)).toEqual(POSITION);
    const authorization = `Basic ${Buffer.from(`operator:${REST_PASSWORD}`).toString('base64')}`;
    expect(world.arrivals).toEqual([{member: 'us', path: '/switchover', body: {leader: 'us', candidate: 'eu'}, authorization}]);
  });

  it('asks nothing when it was done already', async () => {
    await open();
    promote(world);
    expect(await handover(world.ensemble, testCtx(), PLANNED)).toEqual(POSITION);
    expect(paths()).toEqual([]);
  });

  it('only waits when Patroni is at it already', async () => {
    await open({cluster: clusterOf('eu')});
    setTimeout(() => promote(world), 100);
    expect(await handover(world.ensemble, testCtx(), PLANNED)).toEqual(POSITION);
    expect(paths()).toEqual([]);
  });

  it('waits for a primary that takes writes on a later timeline', async () => {
    await open();
    world.onOrder = () => {
      Object.assign(world.members, {eu: {patroni: {}, server: {recovering: false, timeline: 1}}, us: {patroni: {}, server: 'refused'}});
      setTimeout(() => Object.assign(world.members, {eu: {patroni: {}, server: {recovering: false, readOnly: true, timeline: 2}}}), 60);
      setTimeout(() => promote(world), 120);
      return {status: 200, text: 'Successfully switched over to "eu"'};
    };
    expect(await handover(world.ensemble, testCtx(), PLANNED)).toEqual(POSITION);
  });

  it('is not done before the former leader is in recovery or refuses connections', async () => {
    await open();
    world.onOrder = () => {
      promote(world);
      Object.assign(world.members, {us: {patroni: {}, server: {recovering: false}}});
      setTimeout(() => Object.assign(world.members, {us: {patroni: {}, server: following('eu')}}), 150);
      return 'hang';
    };
    const began = performance.now();
    await handover(world.ensemble, testCtx(), PLANNED);
    expect(performance.now() - began).toBeGreaterThan(140);
  });

  it.each([
    ['still answers as a primary', {recovering: false}],
    ['does not say what it is', 'timeout'],
  ] as const)('fails when the former leader %s at the deadline', async (why, server) => {
    await open();
    world.onOrder = () => {
      promote(world);
      Object.assign(world.members, {us: {patroni: {}, server}});
      return 'hang';
    };
    const outcome = await outcomeOf(() => handover(world.ensemble, testCtx('run-1', 300), PLANNED));
    expect(outcome).toMatchObject({code: 'former-leader', exit: 69, message: `us handed over and ${why} at the deadline.`});
  });

  it('asks another member when the leader does not answer', async () => {
    await open({members: {us: {patroni: 'refuse'}}});
    world.onOrder = () => {
      promote(world);
      return 'hang';
    };
    await handover(world.ensemble, testCtx(), PLANNED);
    expect(paths()).toEqual(['eu/switchover']);
  });

  it('gives the order again when its answer is lost', async () => {
    await open();
    world.onOrder = ({member}) => {
      if (member === 'us') return 'break';
      promote(world);
      return 'hang';
    };
    await handover(world.ensemble, testCtx(), PLANNED);
    expect(paths()).toEqual(['us/switchover', 'eu/switchover']);
  });

  it.each([
    [412, 'candidate does not exists', 'patroni-refused', 77],
    [503, 'Switchover failed', 'patroni-failed', 69],
  ])('ends with the words of a %i', async (status, text, code, exit) => {
    await open();
    world.onOrder = () => ({status, text});
    const outcome = await outcomeOf(() => handover(world.ensemble, testCtx(), PLANNED));
    expect(outcome).toMatchObject({code, exit, message: `Patroni does not hand over to eu: ${text} (${status}).`});
  });

  it('does not mind a refusal when another order reached the goal', async () => {
    await open();
    world.onOrder = () => {
      world.cluster = clusterOf('eu');
      setTimeout(() => promote(world), 100);
      return {status: 412, text: 'leader name does not match'};
    };
    expect(await handover(world.ensemble, testCtx(), PLANNED)).toEqual(POSITION);
  });

  it('needs a leader', async () => {
    await open({cluster: clusterOf(null)});
    const outcome = await outcomeOf(() => handover(world.ensemble, testCtx(), {...PLANNED, from: null}));
    expect(outcome).toMatchObject({code: 'patroni-refused', exit: 77});
  });

  it.each([401, 403])('says that it may not when Patroni answers %i, without the password', async (status) => {
    await open({wanted: LOGIN});
    world.onOrder = () => ({status, text: `not you, ${REST_PASSWORD}`});
    const outcome = await outcomeOf(() => handover(world.ensemble, testCtx(), PLANNED));
    expect(outcome).toMatchObject({code: 'patroni-auth', exit: 69});
    expect(outcome.message).toBe(`Patroni of ap (${world.url('ap')}) refuses the order (${status}): not you, •••.`);
  });
});

describe('a failover', () => {
  it('asks the candidate, never the lost leader, and waits for the leader key to run out', async () => {
    await open({members: {us: LOST}});
    world.onOrder = () => {
      setTimeout(() => promote(world), 300);
      return {status: 503, text: 'Failover status unknown'};
    };
    expect(await handover(world.ensemble, testCtx(), UNPLANNED)).toEqual(POSITION);
    expect(world.arrivals).toEqual([{member: 'eu', path: '/failover', body: {candidate: 'eu'}, authorization: undefined}]);
  });

  it('is refused when Patroni made another one the leader before', async () => {
    await open({members: {us: LOST}, cluster: clusterOf('ap')});
    const outcome = await outcomeOf(() => handover(world.ensemble, testCtx(), UNPLANNED));
    expect(outcome).toMatchObject({code: 'moved-elsewhere', exit: 77, message: 'Patroni has made ap the leader, so eu is not promoted.'});
    expect(paths()).toEqual([]);
  });

  it('is refused when Patroni makes another one the leader meanwhile', async () => {
    await open({members: {us: LOST}});
    world.onOrder = () => {
      promote(world, 'ap');
      return {status: 200, text: 'Failed over to "ap" instead of "eu"'};
    };
    const outcome = await outcomeOf(() => handover(world.ensemble, testCtx(), UNPLANNED));
    expect(outcome).toMatchObject({code: 'moved-elsewhere', exit: 77});
  });

  it('takes a holder of the leader key that does not answer for the lost one when nobody names it', async () => {
    await open({members: {us: LOST}});
    world.onOrder = () => {
      promote(world);
      return 'hang';
    };
    expect(await handover(world.ensemble, testCtx(), {...UNPLANNED, from: null})).toEqual(POSITION);
  });

  it('is refused when nobody is named and the leader is alive', async () => {
    await open();
    const outcome = await outcomeOf(() => handover(world.ensemble, testCtx(), {...UNPLANNED, from: null}));
    expect(outcome).toMatchObject({code: 'moved-elsewhere', exit: 77, message: 'Patroni has made us the leader, so eu is not promoted.'});
  });

  it('is refused when the candidate is a primary without the leader key', async () => {
    await open({members: {us: LOST, eu: {server: {recovering: false, timeline: 2}}}});
    const outcome = await outcomeOf(() => handover(world.ensemble, testCtx(), UNPLANNED));
    expect(outcome).toMatchObject({code: 'moved-elsewhere', exit: 77});
    expect(outcome.message).toContain('Patroni says that us holds the leader key');
  });

  it('ends at its deadline and says who holds the key', async () => {
    await open({members: {us: LOST}});
    world.onOrder = () => 'hang';
    const outcome = await outcomeOf(() => handover(world.ensemble, testCtx('run-1', 500), UNPLANNED));
    const message = 'Patroni had not made eu the primary of orders at the deadline: the leader key is held by us.';
    expect(outcome).toMatchObject({code: 'handover-timeout', exit: 69, message});
  });

  it('does nothing when the candidate cannot be read', async () => {
    await open({members: {us: LOST, eu: {server: 'timeout'}}});
    expect(await outcomeOf(() => handover(world.ensemble, testCtx(), UNPLANNED))).toMatchObject({code: 'timeout', exit: 69});
    expect(paths()).toEqual([]);
  });

  it('is not waited for when it is cancelled', async () => {
    await open({members: {us: LOST}});
    const cancel = new AbortController();
    world.onOrder = () => {
      setTimeout(() => cancel.abort(), 50);
      return 'hang';
    };
    const began = performance.now();
    const outcome = await outcomeOf(() => handover(world.ensemble, {...testCtx(), signal: cancel.signal}, UNPLANNED));
    expect(outcome.refused).toBe(true);
    expect(performance.now() - began).toBeLessThan(2000);
  });
});
