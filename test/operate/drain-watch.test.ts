import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import type {DrainEvent} from '../../src/lib/operate/drain-reads.ts';
import {watchAndDrain} from '../../src/lib/operate/drain-watch.ts';
import {lagAndDrains} from '../../src/lib/operate/lag-drains.ts';
import type {LagMonitor} from '../../src/lib/operate/lag-watch.ts';
import type {Router} from '../../src/lib/ports/router.ts';
import {type DrainWorld, drainWorld, NORMAL} from './drain-world.ts';

let world: DrainWorld;
let monitor: LagMonitor | null = null;
beforeEach(async () => {
  world = await drainWorld();
});
afterEach(async () => {
  await monitor?.stop();
  monitor = null;
  world.end();
});

async function begin() {
  const {monitor: watched, onDrain} = await watchAndDrain(world.open(), {staleMs: 5000, leave: new AbortController().signal});
  monitor = watched;
  const events: DrainEvent[] = [];
  onDrain((event) => events.push(event));
  return {watched, events};
}

async function until(enough: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100_000 && !enough(); turn += 1) await new Promise((resolve) => setImmediate(resolve));
  if (!enough()) throw new Error(`it did not come to that: ${JSON.stringify(monitor?.view().drains)}`);
}

const counted = (events: readonly DrainEvent[]) => events.map(({what, region}) => `${what} ${region}`);

describe('a live view that drains', () => {
  it('asks no router while all is well, holds a region off when its breaker opens, and gives it back when that has closed', async () => {
    let reads = 0;
    const read: Router['read'] = (signal) => {
      reads += 1;
      return world.router.read(signal);
    };
    world.routers.reads = {...world.router, read};
    const {watched, events} = await begin();
    const began = world.clock.wall();
    await until(() => world.clock.wall() - began > 30_000);
    expect([reads, events]).toEqual([0, []]);
    world.now.late.add('ap');
    await until(() => events.length > 0);
    expect(counted(events)).toEqual(['held ap']);
    expect(world.now.weights).toEqual({...NORMAL, ap: 0});
    await until(() => watched.view().drains?.held.length === 1);
    expect(watched.view().drains).toMatchObject({held: [{route: 'reads', region: 'ap', weight: 30}], trouble: null});
    world.now.late.clear();
    await until(() => events.length > 1);
    expect(counted(events)).toEqual(['held ap', 'returned ap']);
    expect(world.now.weights).toEqual(NORMAL);
    await until(() => watched.view().drains?.held.length === 0);
  });

  it('tries again what could not be done, says so once, and says at its end what is held off still', async () => {
    world.now.late.add('ap');
    world.routers.reads = {...world.router, write: () => Promise.reject(new Error('it is read-only'))};
    const {watched, events} = await begin();
    await until(() => watched.view().drains?.trouble != null);
    const failedAt = world.clock.wall();
    await until(() => world.clock.wall() - failedAt > 60_000);
    expect(counted(events)).toEqual(['failed null']);
    expect(watched.view().drains?.trouble).toContain('it is read-only');
    world.routers.reads = world.router;
    await until(() => events.length > 1);
    expect(counted(events)).toEqual(['failed null', 'held ap']);
    await watched.stop();
    expect(watched.view().drains).toMatchObject({held: [{region: 'ap'}], trouble: null});
  });

  it('gives a region back that another process had held off', async () => {
    world.now.late.add('ap');
    const {watched} = await begin();
    await until(() => watched.view().drains?.held.length === 1);
    await watched.stop();
    world.now.late.clear();
    const {events} = await begin();
    await until(() => events.length > 0);
    expect(counted(events)).toEqual(['returned ap']);
  });
});

describe('one look that drains', () => {
  const drain = {leave: new AbortController().signal};
  const look = (more: {drain: typeof drain | null}) => lagAndDrains(world.open(), {signal: AbortSignal.timeout(20_000), ...more});

  it('goes by breakers that earlier looks have led, and shows what is held off to those that do not drain', async () => {
    world.now.late.add('ap');
    await look({drain});
    expect(world.now.weights, 'a first look opens nothing').toEqual(NORMAL);
    for (let each = 0; each < 7 && world.now.weights.ap !== 0; each += 1) {
      world.clock.advance(15_000);
      await look({drain});
    }
    expect(world.now.weights).toEqual({...NORMAL, ap: 0});
    const {document, exit} = await look({drain: null});
    expect(document).toMatchObject({drains: [{route: 'reads', region: 'ap', weight: 30, reason: expect.stringContaining('us → ap')}]});
    expect(document).not.toHaveProperty('drained');
    expect(exit).toBe(2);
  });

  it('warns when what should be given back cannot be', async () => {
    world.now.late.add('ap');
    for (let each = 0; each < 8 && world.now.weights.ap !== 0; each += 1) {
      world.clock.advance(15_000);
      await look({drain});
    }
    world.now.late.clear();
    world.routers.reads = {...world.router, read: () => Promise.reject(new Error('it is gone'))};
    const exits: number[] = [];
    for (let each = 0; each < 4; each += 1) {
      world.clock.advance(15_000);
      exits.push((await look({drain: null})).exit);
    }
    expect(exits.at(-1), 'its breaker has closed').toBe(0);
    const {document, exit} = await look({drain});
    expect(document.drained).toMatchObject([{what: 'failed', route: 'reads'}]);
    expect([exit, document.drains.length]).toEqual([1, 1]);
  });
});
