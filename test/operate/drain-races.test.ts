import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {conductTakeUp} from '../../src/lib/operate/conduct.ts';
import {type DrainEvent, drainReads, heldNow} from '../../src/lib/operate/drain-reads.ts';
import {withPromotions} from '../../src/lib/operate/earlier-runs.ts';
import {listRuns} from '../../src/lib/operate/runs.ts';
import {worldOf} from '../../src/lib/operate/world.ts';
import type {Router} from '../../src/lib/ports/router.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {planOf, step} from '../run/world.ts';
import {drainLink} from '../traffic/drain-samples.ts';
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
const heldIn = async (open: OpenFleet) =>
  heldNow(open, await open.state()).map(({route, region, weight}) => `${route} ${region} ${weight}`);

/** A fleet of which this process sees its routers at once, and something else of it only when `go` resolves. */
function slowly(open: OpenFleet, go: Promise<void>): {open: OpenFleet; looked: Promise<void>} {
  let tell = (): void => undefined;
  const looked = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const reads: Router = {
    ...world.router,
    read: async (signal) => {
      const weights = await world.router.read(signal);
      tell();
      return weights;
    },
  };
  const [first, ...others] = open.probes;
  if (first === undefined) throw new Error('no probe');
  const probe = {check: async (signal: AbortSignal) => go.then(() => (first.probe as {check: (s: AbortSignal) => unknown}).check(signal))};
  return {open: {...open, routers: {reads}, probes: [{...first, probe}, ...others]} as unknown as OpenFleet, looked};
}

describe('two that drain with one state', () => {
  it('a region that one holds off is not lost to both, when the other looked at its weights a moment before', async () => {
    const [quick, other] = [world.open(), world.open()];
    let go = (): void => undefined;
    const slow = slowly(other, new Promise<void>((resolve) => (go = resolve)));
    const late = drain(slow.open, ['ap']);
    await slow.looked;
    expect(await drain(quick, ['ap'])).toMatchObject([{what: 'held', region: 'ap'}]);
    go();
    await late;
    expect.soft(await heldIn(quick)).toEqual(['reads ap 30']);
    await drain(quick, ['ap']);
    await drain(quick);
    expect(world.now.weights).toEqual(NORMAL);
  });

  it('what a killed run had come to is not forgotten because another looked while it was under way', async () => {
    const [first, second] = [world.open(), world.open()];
    const write = world.router.write;
    const killed = new AbortController();
    world.routers.reads = {
      ...world.router,
      write: async (ctx, weights) => {
        await drain({...second, routers: {reads: world.router}} as OpenFleet, ['ap']);
        await write(ctx, weights);
        killed.abort(new Error('killed'));
        await new Promise(() => undefined);
      },
    };
    await drain(first, ['ap'], killed.signal);
    world.routers.reads = world.router;
    await drain(second, ['ap']);
    expect.soft(await heldIn(second)).toEqual(['reads ap 30']);
    await drain(second);
    expect(world.now.weights).toEqual(NORMAL);
  });
});

describe('what another hand has moved', () => {
  it('is not overwritten by the way back of a shift that was overtaken', async () => {
    const failedOver = {us: 0, eu: 100, ap: 0};
    const write = world.router.write;
    let writes = 0;
    world.routers.reads = {
      ...world.router,
      write: async (ctx, weights) => {
        await write(ctx, weights);
        writes += 1;
        // A failover from another machine, which has another state.
        if (writes === 1) world.now.weights = {...failedOver};
      },
    };
    const open = world.open();
    await drain(open, ['ap']);
    expect(world.now.weights).toEqual(failedOver);
  });

  it('an old shift that was killed is not taken back over what came after it', async () => {
    const open = world.open();
    const killed = new AbortController();
    const write = world.router.write;
    world.routers.reads = {
      ...world.router,
      write: async (ctx, weights) => {
        await write(ctx, weights);
        killed.abort(new Error('killed'));
        await new Promise(() => undefined);
      },
    };
    await drain(open, ['ap'], killed.signal);
    world.routers.reads = world.router;
    world.now.weights = {us: 0, eu: 100, ap: 0};
    await drain(open, ['ap']);
    const [run] = await listRuns(open);
    const plan = (await open.state()).plan(run?.runId ?? '');
    if (run === undefined || plan === null) throw new Error('no run');
    await expect(
      conductTakeUp(
        open,
        worldOf(open, {life: never, resumed: true}),
        {runId: run.runId, plan},
        {
          going: 'back',
          reason: 'status said so',
          interrupt: never,
          leave: never,
        },
      ),
    ).rejects.toThrow(/it is not taken up again/);
    expect(world.now.weights).toEqual({us: 0, eu: 100, ap: 0});
  });

  it('an old shift that was killed before its effect, resumed as status says, does not hold off what nobody gives back', async () => {
    const open = world.open();
    const killed = new AbortController();
    world.routers.reads = {
      ...world.router,
      write: async () => {
        killed.abort(new Error('killed'));
        await new Promise(() => undefined);
      },
    };
    await drain(open, ['ap'], killed.signal);
    world.routers.reads = world.router;
    await drain(open);
    const [run] = await listRuns(open);
    const plan = (await open.state()).plan(run?.runId ?? '');
    if (run === undefined || plan === null) throw new Error('no run');
    expect(run.outcome).toBe('interrupted');
    await expect(
      conductTakeUp(
        open,
        worldOf(open, {life: never, resumed: true}),
        {runId: run.runId, plan},
        {
          going: 'forward',
          reason: null,
          interrupt: never,
          leave: never,
        },
      ),
    ).rejects.toThrow(/it is not taken up again/);
    await drain(open);
    expect(world.now.weights).toEqual(NORMAL);
  });

  it('is not undone by runs undo, which says so', async () => {
    const open = world.open();
    await drain(open, ['ap']);
    const [run] = await listRuns(open);
    const plan = (await open.state()).plan(run?.runId ?? '');
    if (run === undefined || plan === null) throw new Error('no run');
    await expect(
      conductTakeUp(
        open,
        worldOf(open, {life: never, resumed: true}),
        {runId: run.runId, plan},
        {
          going: 'back',
          reason: null,
          interrupt: never,
          leave: never,
        },
      ),
    ).rejects.toThrow(/it is not taken up again/);
    expect(world.now.weights).toEqual({...NORMAL, ap: 0});
  });

  it('a failover that was taken back leaves the region held off, to be given back', async () => {
    const open = world.open();
    await drain(open, ['ap']);
    const state = await open.state();
    const lease = state.lease(open.fleet.name, 'failover-1');
    // Its first step holds all traffic; then it is taken back to what it had found.
    const found = world.now.weights;
    world.now.weights = {us: 0, eu: 0, ap: 0};
    await drain(open, ['ap']);
    world.now.weights = found;
    lease.release();
    await drain(open, ['ap']);
    await drain(open);
    expect(world.now.weights).toEqual(NORMAL);
  });

  it('gives nothing back to a region that is down', async () => {
    const open = world.open();
    await drain(open, ['ap']);
    world.now.down.add('ap');
    await drain(open);
    expect(world.now.weights).toEqual({...NORMAL, ap: 0});
  });
});

describe('a fleet that drains for weeks', () => {
  const at = (epoch: number) => ({position: {lineage: 'L', epoch, offset: '5'}, mark: 7});

  it('still knows who was promoted', async () => {
    const open = world.open();
    const state = await open.state();
    const promote = {action: 'store.promote', v: 1, target: {store: 'orders', member: 'eu'}, args: {}};
    const plan = {...planOf([step('one', {pivot: true, do: promote})]), kind: 'failover' as const};
    state.createRun('failover-1', open.fleet.name, plan);
    const add = (type: string, id: string | null, data: Parameters<typeof state.append>[1]['data']) =>
      state.append('failover-1', {type, step: id, data});
    add('run-started', null, {v: 1, by: 'ana', token: '1-x'});
    add('step-started', 'one', {attempt: 1});
    add('intent', 'one', {action: 'store.promote', v: 1, says: 'do it'});
    add('result', 'one', {result: at(2), says: 'done'});
    add('run-ended', null, {outcome: 'succeeded', code: 'succeeded', reason: ''});
    const ack = {known: false, code: 'not-read', reason: '', at: 0} as const;
    const snapshot = {
      ...{version: 1 as const, takenAt: '', fleetDigest: 'd', vantage: 'here', regions: {}, routers: {}},
      stores: {orders: {engine: 'postgres', ack, members: {}}},
    } as const;
    const promoted = () => withPromotions(state, open.fleet.name, snapshot).stores.orders?.promoted;
    expect(promoted()).toEqual({lineage: 'L', epoch: 2});
    for (let each = 0; each < 5; each += 1) {
      world.clock.advance(3_600_000);
      await drain(open, ['ap']);
      await drain(open);
    }
    expect(promoted()).toEqual({lineage: 'L', epoch: 2});
  });
});
