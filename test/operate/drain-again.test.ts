import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {type DrainEvent, drainReads, heldNow} from '../../src/lib/operate/drain-reads.ts';
import {watchAndDrain} from '../../src/lib/operate/drain-watch.ts';
import type {LagMonitor} from '../../src/lib/operate/lag-watch.ts';
import {listRuns} from '../../src/lib/operate/runs.ts';
import type {State} from '../../src/lib/ports/state.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {lagOfRegions} from '../../src/lib/traffic/read-drain.ts';
import {drainingStore, drainLink, route} from '../traffic/drain-samples.ts';
import {type DrainWorld, drainWorld, NORMAL, REGIONS} from './drain-world.ts';

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

const never = new AbortController().signal;
const look = (open: OpenFleet, late: readonly string[] = [], leave = never): Promise<readonly DrainEvent[]> =>
  drainReads(
    open,
    ['eu', 'ap'].map((to) => drainLink('us', to, late.includes(to) ? 'open' : 'closed')),
    {signal: new AbortController().signal, leave},
  );
/** Two looks at a fleet that is well, as far apart as `readmit`. */
const wellAgain = async (open: OpenFleet): Promise<readonly DrainEvent[]> => {
  const events = await look(open);
  world.clock.advance(30_000);
  return [...events, ...(await look(open))];
};
const heldIn = async (open: OpenFleet) =>
  heldNow(open, await open.state()).map(({route: name, region, weight}) => `${name} ${region} ${weight}`);
const counted = (events: readonly DrainEvent[]) => events.map(({what, region}) => `${what} ${region}`);

/** This process's state, with some of it otherwise. */
async function withState(open: OpenFleet, more: (state: State) => Partial<State>): Promise<OpenFleet> {
  const state = await open.state();
  return {...open, state: async () => ({...state, ...more(state)})} as OpenFleet;
}

async function until(enough: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100_000 && !enough(); turn += 1) await new Promise((resolve) => setImmediate(resolve));
  if (!enough()) throw new Error(`it did not come to that: ${JSON.stringify(monitor?.view().drains)}`);
}

describe('what is kept before anything is touched', () => {
  it('a record that cannot be written stops the run: else a process that is then killed loses the region for good', async () => {
    const killed = new AbortController();
    const open = await withState(world.open(), (state) => ({
      remember: (key, value) => {
        if (key.startsWith('drain/')) throw new Error('database is locked');
        state.remember(key, value);
      },
    }));
    const {write} = world.router;
    world.routers.reads = {
      ...world.router,
      write: async (ctx, weights) => {
        await write(ctx, weights);
        killed.abort(new Error('killed'));
        await new Promise(() => undefined);
      },
    };
    await look(open, ['ap'], killed.signal);
    world.routers.reads = world.router;
    const next = world.open();
    await look(next, ['ap']);
    await wellAgain(next);
    expect(world.now.weights).toEqual(NORMAL);
  });

  it('nothing is written to the router while what is held off cannot be kept', async () => {
    const open = await withState(world.open(), (state) => ({
      remember: (key, value) => {
        if (key.startsWith('drain/')) throw new Error('the disk is full');
        state.remember(key, value);
      },
    }));
    await look(open, ['ap']);
    expect(world.now.writes).toBe(0);
  });

  it('a region that cannot be kept is tried later each time, as other failures are', async () => {
    world.now.late.add('ap');
    const open = await withState(world.open(), (state) => ({
      remember: (key, value) => {
        if (key.startsWith('drain/')) throw new Error('the disk is full');
        state.remember(key, value);
      },
    }));
    world.routers.reads = {...world.router, write: async () => undefined};
    const {monitor: watched} = await watchAndDrain(open, {staleMs: 5000, leave: never});
    monitor = watched;
    await until(() => watched.view().drains?.trouble != null);
    const began = world.clock.wall();
    await until(() => world.clock.wall() - began > 1_200_000);
    expect((await listRuns(world.open())).length).toBeLessThan(10);
  });
});

describe('a drainer that is killed at any point', () => {
  /** A process that is dead after so many writes to its state or its router. */
  const mortal = async (lives: number) => {
    let count = 0;
    const beat = () => {
      count += 1;
      if (count > lives) throw new Error('killed');
    };
    const own = world.open();
    const open = await withState(own, (state) => ({
      createRun: (...all) => {
        beat();
        state.createRun(...all);
      },
      append: (...all) => {
        beat();
        return state.append(...all);
      },
      remember: (...all) => {
        beat();
        state.remember(...all);
      },
    }));
    const write = async (ctx: never, weights: Readonly<Record<string, number>>) => {
      beat();
      await world.router.write(ctx, weights);
    };
    const routers = {reads: {...world.router, write}};
    return {open: {...open, routers} as unknown as OpenFleet};
  };

  it.each(Array.from({length: 16}, (_, lives) => lives))('while it holds a region off, after %i writes', async (lives) => {
    const {open} = await mortal(lives);
    await look(open, ['ap']).catch(() => undefined);
    const next = world.open();
    await look(next, ['ap']);
    expect(world.now.weights).toEqual({...NORMAL, ap: 0});
    expect(await heldIn(next)).toEqual(['reads ap 30']);
    await wellAgain(next);
    expect(world.now.weights).toEqual(NORMAL);
    expect(await heldIn(next)).toEqual([]);
  });

  it.each(Array.from({length: 16}, (_, lives) => lives))('while it gives one back, after %i writes', async (lives) => {
    await look(world.open(), ['ap']);
    const {open} = await mortal(lives);
    await wellAgain(open).catch(() => undefined);
    const next = world.open();
    await wellAgain(next);
    expect(world.now.weights).toEqual(NORMAL);
    expect(await heldIn(next)).toEqual([]);
    await look(next, ['ap']);
    expect(world.now.weights.ap, 'and it is held off anew').toBe(0);
  });
});

describe('since when a region is fine', () => {
  it('is not told by a look of days ago: nobody knows what was in between', async () => {
    const open = world.open();
    await look(open, ['ap']);
    await look(open);
    world.clock.advance(3 * 86_400_000);
    expect(counted(await look(open)), 'the first look after three days').toEqual([]);
    expect(world.now.weights.ap).toBe(0);
  });

  it('is not in the future: a clock that is set back keeps no region off for as long as it went back', async () => {
    let ahead = 3_600_000;
    const open = world.open();
    const skewed = {...open, clock: {...open.clock, wall: () => open.clock.wall() + ahead}} as OpenFleet;
    await look(skewed, ['ap']);
    await look(skewed);
    ahead = 0;
    for (let each = 0; each < 12; each += 1) {
      world.clock.advance(10_000);
      await look(skewed);
    }
    expect(world.now.weights).toEqual(NORMAL);
  });

  it('is not made longer by a clock that jumped ahead between two looks', async () => {
    let ahead = 0;
    const open = world.open();
    const skewed = {...open, clock: {...open.clock, wall: () => open.clock.wall() + ahead}} as OpenFleet;
    await look(skewed, ['ap']);
    await look(skewed);
    world.clock.advance(1000);
    ahead = 3_600_000;
    await look(skewed);
    expect(world.now.weights.ap).toBe(0);
  });
});

describe('a look that is some time ago', () => {
  it('of who is fit is not what a second route is drained by, after the first one took its time', async () => {
    const two = await drainWorld({
      stores: [
        {
          ...drainingStore(REGIONS),
          breaker: {warnMs: 30_000, openMs: 60_000, readmitMs: 30_000, drain: {routes: ['reads', 'search'], keep: 1}},
        },
      ],
      routes: [route(NORMAL), route(NORMAL, 'search')],
    });
    try {
      let other: Record<string, number> = {...NORMAL};
      two.routers.search = {
        read: async () => ({...other}),
        write: async (_, weights) => {
          other = {...weights};
        },
      };
      const {write} = two.router;
      two.routers.reads = {
        ...two.router,
        write: async (ctx, weights) => {
          await two.clock.sleep(2500, never);
          await write(ctx, weights);
          two.now.down = new Set(['us', 'eu']);
        },
      };
      await look(two.open(), ['ap']);
      expect(other.ap, 'the only region that is up').toBe(30);
    } finally {
      two.end();
    }
  });
});

describe('who can be relied on', () => {
  const spec = {stores: [drainingStore(REGIONS)]};

  it('a member that nobody has seen, and to which no link is listed, is not known to be well', () => {
    const lag = lagOfRegions(spec, route(NORMAL), [drainLink('us', 'eu')], () => null);
    expect(lag.ap?.state).toBe('unknown');
  });
});

describe('what is told', () => {
  it('a failure does not advise to resume what cannot be resumed', async () => {
    world.routers.reads = {...world.router, write: () => Promise.reject(new Error('it is read-only'))};
    const [failed] = await look(world.open(), ['ap']);
    expect.soft(failed?.reason).toMatch(/it is read-only/);
    expect(failed?.reason).not.toMatch(/runs resume/);
  });

  it('what another hand did is told even when the change that was to follow fails', async () => {
    const open = world.open();
    await look(open, ['ap']);
    world.now.weights = {us: 50, eu: 50, ap: 0};
    world.routers.reads = {...world.router, write: () => Promise.reject(new Error('it is read-only'))};
    const events = await look(open, ['ap', 'eu']);
    expect(counted(events)).toContain('moved ap');
  });

  it('a watch gives back what another process held off and left behind', async () => {
    const {monitor: watched} = await watchAndDrain(world.open(), {staleMs: 5000, leave: never});
    monitor = watched;
    const began = world.clock.wall();
    await until(() => world.clock.wall() - began > 30_000);
    await look(world.open(), ['ap']);
    expect.soft(world.now.weights.ap).toBe(0);
    const at = world.clock.wall();
    await until(() => world.clock.wall() - at > 120_000);
    expect(world.now.weights).toEqual(NORMAL);
  });
});
