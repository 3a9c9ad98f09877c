import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {type DrainEvent, drainReads, heldNow, refuseUndrainable} from '../../src/lib/operate/drain-reads.ts';
import {listRuns} from '../../src/lib/operate/runs.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {drainingStore, drainLink} from '../traffic/drain-samples.ts';
import {type DrainWorld, drainWorld, NORMAL} from './drain-world.ts';

let world: DrainWorld;
beforeEach(async () => {
  world = await drainWorld();
});
afterEach(() => world.end());

const never = new AbortController().signal;
const look = (open: OpenFleet, late: readonly string[], leave: AbortSignal): Promise<readonly DrainEvent[]> =>
  drainReads(
    open,
    ['eu', 'ap'].map((to) => drainLink('us', to, late.includes(to) ? 'open' : 'closed')),
    {signal: AbortSignal.timeout(20_000), leave},
  );
/** One look; when nobody is late two, as far apart as `readmit`. */
const drain = async (open: OpenFleet, late: readonly string[] = [], leave = never): Promise<readonly DrainEvent[]> => {
  const events = await look(open, late, leave);
  if (late.length > 0) return events;
  world.clock.advance(30_000);
  return [...events, ...(await look(open, late, leave))];
};
const says = (events: readonly DrainEvent[]) => events.map(({what, region, reason}) => `${what} ${region}: ${reason}`);
const heldIn = async (open: OpenFleet) =>
  heldNow(open, await open.state()).map(({route, region, weight}) => `${route} ${region} ${weight}`);
const outcomes = async (open: OpenFleet) => (await listRuns(open)).map(({kind, from, to, outcome}) => `${kind} ${from} ${to} ${outcome}`);

describe('what breakers do to the reads', () => {
  it('is a run each time: held off while it is late, given back when it is not, by another process too', async () => {
    const first = world.open();
    expect(await drain(first), 'nothing is late').toEqual([]);
    const [held] = await drain(first, ['ap']);
    expect(held).toMatchObject({route: 'reads', what: 'held', region: 'ap', weight: 30, run: expect.stringMatching(/^shift-/)});
    expect(held?.reason).toBe('the breaker of orders us → ap is open: 75 s behind');
    expect(world.now.weights).toEqual({us: 40, eu: 30, ap: 0});
    expect(await drain(first, ['ap']), 'it is held off already').toEqual([]);
    const second = world.open();
    expect(await heldIn(second)).toEqual(['reads ap 30']);
    expect(says(await drain(second))).toEqual(['returned ap: orders us → ap can be relied on']);
    expect(world.now.weights).toEqual(NORMAL);
    expect(await heldIn(second)).toEqual([]);
    expect(await outcomes(second)).toEqual(['shift null ap succeeded', 'shift ap null succeeded']);
    expect(world.now.writes).toBe(2);
  });

  it('never takes the last one that can serve, and says which and why', async () => {
    world.now.down = new Set(['us']);
    const open = world.open();
    const events = await drain(open, ['eu', 'ap']);
    expect(events.map(({what}) => what)).toEqual(['stays', 'held']);
    expect(Object.entries(world.now.weights).filter(([region, weight]) => weight > 0 && region !== 'us')).toHaveLength(1);
    world.now.down = new Set(['us', 'eu', 'ap'].filter((region) => region !== events[1]?.region));
    expect(says(await drain(open, ['eu', 'ap'])).at(-1)).toMatch(/^returned (eu|ap): too few other regions can serve: the breaker of/);
  });

  it('leaves a region alone that another hand gave traffic again, until its links have closed once', async () => {
    const open = world.open();
    await drain(open, ['ap']);
    world.now.weights = {...NORMAL};
    expect(says(await drain(open, ['ap']))).toEqual([
      'moved ap: another hand gave it traffic again; it is left alone until its links have closed',
    ]);
    expect(says(await drain(open, ['ap']))).toEqual([
      expect.stringMatching(/^stays ap: .*; it is left alone until its links have closed once$/),
    ]);
    expect(world.now.weights).toEqual(NORMAL);
    expect(await drain(open)).toEqual([]);
    expect(await drain(open, ['ap'])).toMatchObject([{what: 'held', region: 'ap'}]);
    world.now.weights = {us: 0, eu: 100, ap: 0};
    expect(says(await drain(open)), 'as after a failover').toEqual([
      'moved ap: the weights of reads were changed by another hand; to have its 30 back, ap needs that hand too',
    ]);
    expect(world.now.weights).toEqual({us: 0, eu: 100, ap: 0});
  });

  it('knows after a crash what had come to pass, by the weights', async () => {
    const write = world.router.write;
    for (const hasWritten of [true, false]) {
      world.now.weights = {...NORMAL};
      const killed = new AbortController();
      const gone = world.open();
      world.routers.reads = {
        ...world.router,
        write: async (ctx, weights) => {
          if (hasWritten) await write(ctx, weights);
          killed.abort(new Error('killed'));
          await new Promise(() => undefined);
        },
      };
      expect(await drain(gone, ['ap'], killed.signal)).toMatchObject([{what: 'failed'}]);
      world.routers.reads = world.router;
      const next = world.open();
      expect(await drain(next, ['ap']), 'the other one is begun again').toMatchObject(hasWritten ? [] : [{what: 'held'}]);
      expect(await heldIn(next)).toEqual(['reads ap 30']);
      expect(says(await drain(next))).toEqual(['returned ap: orders us → ap can be relied on']);
      expect(world.now.weights).toEqual(NORMAL);
    }
  });

  it('acts once when two ask at the same time', async () => {
    const both = [world.open(), world.open()];
    await Promise.all(both.map((open) => open.state()));
    const events = (await Promise.all(both.map((open) => drain(open, ['ap'])))).flat();
    expect(events.filter(({what}) => what === 'held')).toHaveLength(1);
    expect(
      events.filter(({what}) => what === 'failed').every(({reason}) => /acts on|is held by/.test(reason)),
      JSON.stringify(events),
    ).toBe(true);
    expect(world.now).toMatchObject({writes: 1, weights: {us: 40, eu: 30, ap: 0}});
    for (const open of both) expect(await heldIn(open)).toEqual(['reads ap 30']);
    expect(await drain(both[1] as OpenFleet)).toMatchObject([{what: 'returned'}]);
  });

  it('says what it could not do: a router that does not answer, or that does not take it', async () => {
    const open = world.open();
    world.routers.reads = {...world.router, read: () => Promise.reject(new Error('it refused the connection'))};
    expect(says(await drain(open, ['ap']))).toEqual([
      'failed null: the weights of reads are not known: route reads could not be read: it refused the connection',
    ]);
    world.routers.reads = {...world.router, write: () => Promise.reject(new Error('it is read-only'))};
    expect(says(await drain(open, ['ap']))).toEqual([expect.stringMatching(/^failed null: .*it is read-only/)]);
    expect(await heldIn(open)).toEqual([]);
    expect(world.now.writes).toBe(0);
    world.routers.reads = world.router;
    expect(await drain(open, ['ap'])).toMatchObject([{what: 'held'}]);
  });

  it('is refused where the file names no route, or wants people to agree', async () => {
    const open = world.open();
    expect(() => refuseUndrainable(open)).not.toThrow();
    expect(() => refuseUndrainable({...open, fleet: {...open.fleet, stores: []}})).toThrow(/no store of the fleet file names routes/);
    const approval = {before: ['reroute' as const], approvers: 1, expiresMs: 1000};
    expect(() => refuseUndrainable({...open, fleet: {...open.fleet, stores: [drainingStore(['us'])], approval}})).toThrow(
      /take reroute out of approval.before/,
    );
  });
});
