import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {call, step} from '../../src/lib/failover/steps.ts';
import {holdToClean} from '../../src/lib/operate/clean-hold.ts';
import {conductTakeUp} from '../../src/lib/operate/conduct.ts';
import {drillLease} from '../../src/lib/operate/leases.ts';
import {worldOf} from '../../src/lib/operate/world.ts';
import type {Plan} from '../../src/lib/plan/plan.ts';
import type {Lease, State} from '../../src/lib/ports/state.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {planOf} from '../run/world.ts';
import {type DrainWorld, drainWorld} from './drain-world.ts';

let world: DrainWorld;
beforeEach(async () => {
  world = await drainWorld();
});
afterEach(() => world.end());

const never = new AbortController().signal;

/** A drill that holds the fleet's lease, or with `by: 'person'` leaves it to a person. */
function drill(open: OpenFleet, by: 'regionctl' | 'person' = 'regionctl'): Plan {
  const wait = step({id: 'wait', phase: 'verify', title: 'wait', do: call('drill.wait', {}, {forMs: 1})});
  const person = step({
    ...{id: 'reaction', phase: 'promote', title: 'a person', deadlineMs: 1000},
    do: call('reaction.person', {}, {prompts: ['fail over'], until: [{writable: true}], withinMs: 1000}),
  });
  const base = planOf(by === 'person' ? [person] : [wait], {kind: 'drill'});
  return {...base, snapshot: {...base.snapshot, fleetDigest: open.fleet.digest ?? 'd'}};
}

/** A run that has succeeded: to take it up is refused (77), once nobody else is in the way. */
function recorded(state: State, open: OpenFleet, runId: string, plan: Plan): Plan {
  const own = {...plan, id: runId};
  state.createRun(runId, open.fleet.name, own);
  state.append(runId, {type: 'run-started', step: null, data: {v: 1, by: 'test', token: 't', user: 'test'}});
  state.append(runId, {type: 'run-ended', step: null, data: {outcome: 'succeeded', code: 'ok', reason: 'done'}});
  return own;
}

async function takingUp(by: 'regionctl' | 'person', going: 'forward' | 'back' = 'forward') {
  const [mine, theirs] = [world.open(), world.open()];
  const [state, other] = [await mine.state(), await theirs.state()];
  const plan = recorded(state, mine, 'drill-x', drill(mine, by));
  const take = () =>
    conductTakeUp(
      mine,
      worldOf(mine, {life: never, resumed: true}),
      {runId: 'drill-x', plan},
      {interrupt: never, leave: never, going, reason: null},
    );
  const free = () => [state.holder('lab'), state.holder(drillLease('lab'))];
  return {take, mine, state, other, free};
}

const held = (name: string) => ({exit: 75, code: 'lease-held', message: expect.stringContaining(`"${name}"`)});
const allowed = {exit: 77, code: 'run-ended'};

describe('a drill that is taken up', () => {
  it.each(['forward', 'back'] as const)('%s is refused while another drill waits for a person, and leaves its own lease', async (going) => {
    const {take, state, other} = await takingUp('regionctl', going);
    const lease = other.lease(drillLease('lab'), 'drill-y');
    await expect(take()).rejects.toMatchObject(held('lab drill'));
    expect(state.holder('lab')).toBeNull();
    lease.release();
    await expect(take()).rejects.toMatchObject(allowed);
  });

  it.each([
    ['a drill that fails over by itself', 'drill-y'],
    ['somebody who cleans up', null],
    ['a run that is not recorded yet', 'unknown'],
  ] as const)('and leaves the fleet to a person is refused while %s holds it', async (_, holder) => {
    const {take, mine, state, other, free} = await takingUp('person');
    if (holder === 'drill-y') recorded(state, mine, holder, drill(mine));
    const lease = other.lease('lab', holder);
    await expect(take()).rejects.toMatchObject(held('lab'));
    expect(state.holder(drillLease('lab'))).toBeNull();
    lease.release();
    await expect(take()).rejects.toMatchObject(allowed);
    expect(free()).toEqual([null, null]);
  });

  it('and leaves the fleet to a person is not kept from it by the failover of that person, or by a shift', async () => {
    const {take, mine, state, other} = await takingUp('person');
    recorded(state, mine, 'failover-1', {...drill(mine), kind: 'failover'});
    for (const runId of ['failover-1', 'shift-1']) {
      const lease = other.lease('lab', runId);
      await expect(take()).rejects.toMatchObject(allowed);
      lease.release();
    }
  });
});

describe('cleaning up', () => {
  it('is refused when a drill that leaves the fleet to others began between the question and the lease, and gives that back', async () => {
    const [mine, theirs] = [world.open(), world.open()];
    const [state, other] = [await mine.state(), await theirs.state()];
    let drilling: Lease | null = null;
    const late: State = {
      ...state,
      lease: (name, runId) => {
        drilling ??= other.lease(drillLease('lab'), 'drill-y');
        return state.lease(name, runId);
      },
    };
    const open = {...mine, state: async () => late} as OpenFleet;
    await expect(holdToClean(open, false)).rejects.toMatchObject(held('lab drill'));
    expect(state.holder('lab')).toBeNull();
    (drilling as Lease | null)?.release();
    const hold = await holdToClean(mine, false);
    expect(state.holder('lab')).toMatchObject({runId: null});
    hold.release();
  });
});
