import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {conductHeld, conductPlan, conductTakeUp, holderBesidesShifts, refuseWhileHeld} from '../../src/lib/operate/conduct.ts';
import {type DrainEvent, drainReads} from '../../src/lib/operate/drain-reads.ts';
import {ownChecks} from '../../src/lib/operate/own-checks.ts';
import {worldOf} from '../../src/lib/operate/world.ts';
import type {Plan} from '../../src/lib/plan/plan.ts';
import type {Lease, State} from '../../src/lib/ports/state.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {leaseFileName} from '../../src/lib/state/files.ts';
import {planDrain} from '../../src/lib/traffic/plan-drain.ts';
import {drainLink} from '../traffic/drain-samples.ts';
import {type DrainWorld, drainWorld} from './drain-world.ts';

let world: DrainWorld;
beforeEach(async () => {
  world = await drainWorld();
});
afterEach(() => world.end());

const never = new AbortController().signal;
const look = (open: OpenFleet, late: readonly string[] = [], leave = never): Promise<readonly DrainEvent[]> =>
  drainReads(
    open,
    ['eu', 'ap'].map((to) => drainLink('us', to, late.includes(to) ? 'open' : 'closed')),
    {signal: new AbortController().signal, leave},
  );
const counted = (events: readonly DrainEvent[]) => events.map(({what, region}) => `${what} ${region}`);

/** This process's state, with some of it otherwise. */
async function withState(open: OpenFleet, more: (state: State) => Partial<State>): Promise<OpenFleet> {
  const state = await open.state();
  return {...open, state: async () => ({...state, ...more(state)})} as OpenFleet;
}

/** A plan of people that sets the weights of the route. */
async function peoplesPlan(open: OpenFleet): Promise<Plan> {
  const snapshot = {version: 1 as const, takenAt: '', fleetDigest: 'd', vantage: 'here', regions: {}, routers: {}, stores: {}};
  const decision = {next: {us: 0, eu: 100, ap: 0}, hold: [], giveBack: []};
  const plan = planDrain({id: 'failover-1', snapshot, route: 'reads', weights: {...world.now.weights}, decision});
  return {
    ...plan,
    kind: 'failover',
    gates: [],
    from: 'us',
    to: 'eu',
    snapshot: {...snapshot, fleetDigest: open.fleet.digest ?? 'd'},
  } as Plan;
}
const people = {interrupt: never, leave: never, marks: []};

async function until(enough: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100_000 && !enough(); turn += 1) await new Promise((resolve) => setImmediate(resolve));
  if (!enough()) throw new Error('it did not come to that');
}

describe('whoever wants the fleet while a shift is under way', () => {
  it('is not refused because the shift began between the question and the lease', async () => {
    const [other, mine] = [world.open(), world.open()];
    const theirs = await other.state();
    let isFirst = true;
    const open = await withState(mine, (state) => ({
      lease: (name, runId) => {
        if (isFirst) {
          isFirst = false;
          const lease = theirs.lease(name, 'shift-1');
          void world.clock.sleep(1000, never).then(() => lease.release());
        }
        return state.lease(name, runId);
      },
    }));
    const plan = await peoplesPlan(open);
    const {result} = await conductPlan(open, worldOf(open, {life: never}), plan, people);
    expect(result.outcome).toBe('succeeded');
  });

  it('is not refused because the holder of the lease has not said yet that it is a shift', async () => {
    const human = world.open();
    const state = await human.state();
    state.lease(human.fleet.name, null).release();
    const lock = new DatabaseSync(join(human.stateDir, leaseFileName(human.fleet.name)));
    lock.exec('BEGIN EXCLUSIVE');
    void world.clock.sleep(200, never).then(() => lock.close());
    const {result} = await conductPlan(human, worldOf(human, {life: never}), await peoplesPlan(human), people);
    expect(result.outcome).toBe('succeeded');
  });

  it('waits for the longest shift: each look and write of its step just in time', async () => {
    const slowly = (ms: number) => world.clock.sleep(ms, never);
    let reads = 0;
    let begun = false;
    world.routers.reads = {
      ...world.router,
      read: async (signal) => {
        reads += 1;
        // The first is of the look, the second is given two seconds; the step's own are given three.
        await slowly(reads <= 2 ? 1900 : 2900);
        return world.router.read(signal);
      },
      write: async () => {
        begun = true;
        await new Promise(() => undefined);
      },
    };
    const drainer = world.open();
    const human = world.open();
    const done = look(drainer, ['ap']);
    const state = await human.state();
    await until(() => state.holder(human.fleet.name) !== null);
    const at = world.clock.wall();
    const left = new AbortController();
    const failover = conductPlan(human, worldOf(human, {life: never}), await peoplesPlan(human), {...people, leave: left.signal});
    const ended = failover.catch((error: unknown) => String(error));
    await until(() => state.holder(human.fleet.name)?.runId === 'failover-1');
    expect(world.clock.wall() - at).toBeLessThanOrEqual(12_500);
    expect(begun).toBe(true);
    left.abort(new Error('seen enough'));
    await Promise.all([done, ended]);
  });

  it('waits for the lease only, not at each of its three questions', async () => {
    const [other, human] = [world.open(), world.open()];
    const theirs = await other.state();
    const began = world.clock.wall();
    const hold = (ms: number) => {
      const lease = theirs.lease(human.fleet.name, 'shift-1');
      void world.clock.sleep(ms, never).then(() => lease.release());
    };
    hold(7000);
    await refuseWhileHeld(human);
    const alone = ownChecks(human).find(({name}) => name === 'run.alone');
    const ctx = {runId: 'plan', token: 'none', signal: never, now: () => 0, deadline: 0} as never;
    expect(await alone?.ask(ctx, {}, true as never, 'any')).toMatchObject({holds: true});
    await conductPlan(human, worldOf(human, {life: never}), await peoplesPlan(human), people);
    expect(world.clock.wall() - began).toBeLessThanOrEqual(9000);
  });

  it('can end its wait with Ctrl+C', async () => {
    const [other, human] = [world.open(), world.open()];
    const lease = (await other.state()).lease(human.fleet.name, 'shift-1');
    const began = world.clock.wall();
    const interrupt = AbortSignal.abort(new Error('interrupted'));
    const plan = await peoplesPlan(human);
    await expect(conductPlan(human, worldOf(human, {life: never}), plan, {...people, interrupt})).rejects.toThrow('interrupted');
    lease.release();
    expect(world.clock.wall() - began).toBeLessThan(1000);
  });

  it('waits for a drainer that was stopped (SIGSTOP) no longer than twelve seconds, and then names its run', async () => {
    const [other, human] = [world.open(), world.open()];
    const lease = (await other.state()).lease(human.fleet.name, 'shift-1');
    const began = world.clock.wall();
    const failover = conductPlan(human, worldOf(human, {life: never}), await peoplesPlan(human), people);
    await expect(failover).rejects.toThrow(/for run shift-1/);
    expect(world.clock.wall() - began).toBeLessThan(12_200);
    lease.release();
  });

  it('is not kept waiting by what a crashed drainer left behind', async () => {
    const human = world.open();
    const state = await human.state();
    state.lease(human.fleet.name, 'shift-1').release();
    const db = new DatabaseSync(join(human.stateDir, 'state.db'));
    expect(db.prepare("UPDATE holders SET token = '1-left' WHERE name = ?").run(human.fleet.name).changes).toBe(1);
    db.close();
    expect(holderBesidesShifts(human, state)).toBe(null);
    expect(state.holder(human.fleet.name)).toBe(null);
  });

  it('two drainers that find the same at the same time are no failure of either', async () => {
    const [one, two] = [world.open(), world.open()];
    const events = (await Promise.all([look(one, ['ap']), look(two, ['ap'])])).flat();
    expect(counted(events).toSorted()).toEqual(['held ap', 'waits null']);
  });
});

describe('after the lease is released', () => {
  it('the document of a run tells its own end, also when another process takes it up while a notifier is waited for', async () => {
    const open = world.open();
    Object.assign(open.fleet, {notifiers: [{name: 'pager', on: ['result'], timeoutMs: 10_000}]});
    let go = (): void => undefined;
    const wait = new Promise<void>((resolve) => (go = resolve));
    Object.assign(open, {notifiers: {pager: {deliver: () => wait}}});
    world.routers.reads = {...world.router, write: () => Promise.reject(new Error('it is read-only'))};
    const plan = await peoplesPlan(open);
    const done = conductPlan(open, worldOf(open, {life: never}), plan, people);
    const other = {...world.open(), routers: {reads: world.router}} as unknown as OpenFleet;
    Object.assign(other, {fleet: {...other.fleet, notifiers: []}});
    const state = await other.state();
    await until(() => state.events('failover-1').some(({type}) => type === 'run-ended') && state.holder(open.fleet.name) === null);
    const how = {...people, going: 'forward' as const, reason: null};
    const again = await conductTakeUp(other, worldOf(other, {life: never, resumed: true}), {runId: 'failover-1', plan}, how);
    expect.soft(again.result.outcome).toBe('succeeded');
    go();
    const {result, document} = await done;
    expect(document.outcome).toBe(result.outcome);
  });
});

describe('the lease that a caller hands over', () => {
  const counting = (lease: Lease) => {
    const of = {releases: 0};
    const counted: Lease = {
      token: lease.token,
      check: () => lease.check(),
      release: () => {
        of.releases += 1;
        lease.release();
      },
    };
    return {of, lease: counted};
  };
  const conduct = async (
    more: (open: OpenFleet, plan: Plan) => {open?: OpenFleet; plan?: Plan; onOver?: () => void; check?: () => void},
  ) => {
    const base = world.open();
    const first = await peoplesPlan(base);
    const {open = base, plan = first, onOver, check} = more(base, first);
    const {of, lease} = counting((await base.state()).lease(base.fleet.name, 'failover-1'));
    const used = check === undefined ? lease : {...lease, check};
    const end = await conductHeld(open, worldOf(base, {life: never}), plan, {
      ...people,
      lease: used,
      ...(onOver === undefined ? {} : {onOver}),
    }).then(
      ({result}) => result.outcome as string,
      () => 'threw',
    );
    return [end, of.releases];
  };
  const failing = (name: keyof State) => (open: OpenFleet) => ({
    open: {
      ...open,
      state: async () => ({
        ...(await open.state()),
        [name]: () => {
          throw new Error('the disk is full');
        },
      }),
    } as OpenFleet,
  });
  const boom = () => {
    throw new Error('no');
  };

  it.each([
    ['a run that succeeds', () => ({}), 'succeeded'],
    ['a plan that cannot be run', (_: OpenFleet, plan: Plan) => ({plan: {...plan, steps: [...plan.steps, ...plan.steps]}}), 'threw'],
    ['a run that cannot be created', failing('createRun'), 'threw'],
    ['a journal that cannot be written', failing('append'), 'threw'],
    ['a journal that cannot be read afterwards', failing('plan'), 'threw'],
    ['a lease that is lost', () => ({check: boom}), 'threw'],
    ['an end that cannot be kept', () => ({onOver: boom}), 'threw'],
  ] as const)('is released once: %s', async (_, more, outcome) => {
    expect(await conduct(more as never)).toEqual([outcome, 1]);
  });

  it('what a notifier was not told is in the journal and in the document, although the lease is released before', async () => {
    const open = world.open();
    Object.assign(open.fleet, {notifiers: [{name: 'pager', on: ['result'], timeoutMs: 10_000}]});
    Object.assign(open, {notifiers: {pager: {deliver: async () => Promise.reject(new Error('410 Gone'))}}});
    const {events, document} = await conductPlan(open, worldOf(open, {life: never}), await peoplesPlan(open), people);
    expect(events.at(-1)).toMatchObject({type: 'note', data: {says: 'pager was not told: 410 Gone'}});
    expect(document.outcome).toBe('succeeded');
  });
});
