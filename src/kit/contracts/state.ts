import type {Plan} from '../../lib/plan/plan.ts';
import type {State} from '../../lib/ports/state.ts';
import {outcomeOf, type Runner, worldTests} from './runner.ts';

/** A place where state is kept, empty at first. */
export type StateWorld = {
  /** Opens the place once more, beside what is open already. The suite closes what it opens. */
  open(): Promise<State>;
  /** Any plan. */
  readonly plan: Plan;
  close?(): Promise<void>;
};

const RUN = {type: 'run-started', step: null, data: {v: 1}} as const;
const STEP = {type: 'intent', step: 'a', data: {nested: [1, null, 'ü\n"'], empty: {}}} as const;

/** What every place for state must keep. `makeWorld` is called for each test. */
export function stateContract(runner: Runner, makeWorld: () => Promise<StateWorld>): void {
  const closing = async (): Promise<StateWorld> => {
    const world = await makeWorld();
    const opened: State[] = [];
    return {
      ...world,
      open: async () => {
        const state = await world.open();
        opened.push(state);
        return state;
      },
      close: async () => {
        for (const state of opened) state.close();
        await world.close?.();
      },
    };
  };
  runner.describe('state contract', () => {
    journal(runner, closing);
    runs(runner, closing);
    leases(runner, closing);
    memory(runner, closing);
  });
}

function journal(runner: Runner, makeWorld: () => Promise<StateWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('counts the lines of each run from 1, without a gap, in the order in which they were written', async ({open, plan}) => {
    const [one, two] = [await open(), await open()];
    for (const run of ['r1', 'r2']) one.createRun(run, 'lab', plan);
    const written = [one.append('r1', RUN), two.append('r1', STEP), one.append('r1', STEP)];
    two.append('r2', RUN);
    expect(written.map(({seq}) => seq)).toEqual([1, 2, 3]);
    expect(one.events('r1')).toEqual(written);
    expect(two.events('r1')).toEqual(written);
    expect(two.events('r1', 1)).toEqual(written.slice(1));
    expect(one.events('r2').map(({seq}) => seq)).toEqual([1]);
    expect(written.every(({at}) => Number.isFinite(at) && at > 0)).toBe(true);
  });

  test('keeps what was written, value for value, after it was closed and opened again', async ({open, plan}) => {
    const first = await open();
    first.createRun('r1', 'lab', plan);
    const written = [first.append('r1', RUN), first.append('r1', STEP)];
    first.close();
    const again = await open();
    expect(again.plan('r1')).toEqual(plan);
    expect(again.events('r1')).toEqual(written);
    expect(again.events('r1')[1]).toMatchObject(STEP);
    expect(again.append('r1', RUN).seq).toBe(3);
  });

  test('refuses a line for a run that is not there', async ({open}) => {
    const state = await open();
    expect(await outcomeOf(() => state.append('r1', RUN))).toMatchObject({refused: true, exit: 73});
    expect(state.events('r1')).toEqual([]);
    expect(state.plan('r1')).toBe(null);
  });
}

function runs(runner: Runner, makeWorld: () => Promise<StateWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('never replaces a run: neither its plan nor its lines', async ({open, plan}) => {
    const state = await open();
    state.createRun('r1', 'lab', plan);
    state.append('r1', RUN);
    const other = {...plan, id: 'another'};
    expect(await outcomeOf(() => state.createRun('r1', 'lab', other))).toMatchObject({refused: true, exit: 73});
    expect(state.plan('r1')).toEqual(plan);
    expect(state.events('r1').length).toBe(1);
  });

  test('lists the runs of one fleet or of all', async ({open, plan}) => {
    const state = await open();
    state.createRun('r1', 'lab', plan);
    state.createRun('r2', 'prod', plan);
    const {kind, from, to} = plan;
    expect(state.runs('lab').map(({startedAt: _, ...head}) => head)).toEqual([{runId: 'r1', fleet: 'lab', kind, from, to}]);
    expect(
      state
        .runs()
        .map(({runId}) => runId)
        .toSorted(),
    ).toEqual(['r1', 'r2']);
    expect(state.runs('none')).toEqual([]);
  });
}

function leases(runner: Runner, makeWorld: () => Promise<StateWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('gives a lease to one at a time, and names who holds it', async ({open}) => {
    const [ours, theirs] = [await open(), await open()];
    expect(theirs.holder('lab')).toBe(null);
    const lease = ours.lease('lab', 'r1');
    for (const state of [ours, theirs])
      expect(await outcomeOf(() => state.lease('lab', 'r2'))).toMatchObject({refused: true, code: 'lease-held', exit: 75});
    lease.check();
    for (const state of [ours, theirs]) expect(state.holder('lab')).toMatchObject({token: lease.token, runId: 'r1', pid: process.pid});
    lease.check();
  });

  test('gives a lease to the next once it was given back, with another token', async ({open}) => {
    const [ours, theirs] = [await open(), await open()];
    const lease = ours.lease('lab', 'r1');
    lease.release();
    lease.release();
    expect(ours.holder('lab')).toBe(null);
    expect(await outcomeOf(() => lease.check())).toMatchObject({refused: true, exit: 75});
    const next = theirs.lease('lab', null);
    next.check();
    expect(next.token === lease.token).toBe(false);
    lease.release();
    next.check();
    expect(ours.holder('lab')).toMatchObject({token: next.token, runId: null});
  });

  test('keeps leases of different names apart', async ({open}) => {
    const [ours, theirs] = [await open(), await open()];
    const leases = [ours.lease('lab', null), theirs.lease('lab/../prod', null), theirs.lease('Lab', null)];
    for (const lease of leases) lease.check();
    expect(new Set(leases.map(({token}) => token)).size).toBe(3);
  });
}

function memory(runner: Runner, makeWorld: () => Promise<StateWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('remembers the last value of a key, also after it was closed', async ({open}) => {
    const [first, second] = [await open(), await open()];
    expect(first.recall('region/us')).toBe(undefined);
    first.remember('region/us', {verdict: 'down', since: 1});
    second.remember('region/us', {verdict: 'up', since: 2});
    second.remember('region/eu', null);
    expect(first.recall('region/us')).toEqual({verdict: 'up', since: 2});
    for (const state of [first, second]) state.close();
    const again = await open();
    expect(again.recall('region/us')).toEqual({verdict: 'up', since: 2});
    expect(again.recall('region/eu')).toBe(null);
  });

  test('keeps the history of each topic in the order in which it was written, the newest where not all are wanted', async ({open}) => {
    const [first, second] = [await open(), await open()];
    first.note('health/us', {to: 'unhealthy'});
    second.note('health/us', {to: 'recovering', nested: [1, null]});
    first.note('health/eu', 'x');
    first.note('health/us', {to: 'healthy'});
    expect(second.notes('health/us').map(({data}) => data)).toEqual([
      {to: 'unhealthy'},
      {to: 'recovering', nested: [1, null]},
      {to: 'healthy'},
    ]);
    expect(second.notes('health/us', 1).map(({data}) => data)).toEqual([{to: 'healthy'}]);
    expect(second.notes('health/us').every(({at}) => Number.isFinite(at) && at > 0)).toBe(true);
    expect(second.notes('nothing')).toEqual([]);
    first.note('late', 'x', 1_700_000_000_000);
    expect(second.notes('late')).toEqual([{at: 1_700_000_000_000, data: 'x'}]);
  });

  test('reads the history of a topic from a time on, also where a clock was set back', async ({open}) => {
    const [first, second] = [await open(), await open()];
    const times = [1000, 5000, 3000, 4000];
    for (const at of times) first.note('lag/us', `at ${at}`, at);
    first.note('lag/eu', 'another', 9000);
    const read = (most: number, since?: number) => second.notes('lag/us', most, since).map(({at, data}) => [at, data]);
    const lines = times.map((at) => [at, `at ${at}`]);
    expect(read(10, 3000)).toEqual(lines.slice(1));
    expect(read(10, 3001)).toEqual([lines[1], lines[3]]);
    expect(read(2, 3000)).toEqual(lines.slice(2));
    expect(read(10, 0)).toEqual(lines);
    expect(read(10)).toEqual(lines);
    expect(read(10, 5001)).toEqual([]);
    expect(read(10, Number.NEGATIVE_INFINITY)).toEqual(lines);
    expect(read(10, 2999.5)).toEqual(lines.slice(1));
  });

  test('does all of what belongs together, or none of it', async ({open}) => {
    const [first, second] = [await open(), await open()];
    const answer = first.together(() => {
      first.remember('region/us', 'down');
      first.note('health/us', 'down');
      return first.recall('region/us');
    });
    expect(answer).toBe('down');
    let thrown: unknown = null;
    try {
      first.together(() => {
        first.remember('region/us', 'up');
        first.note('health/us', 'up');
        throw new Error('not now');
      });
    } catch (error) {
      thrown = error;
    }
    expect(thrown === null).toBe(false);
    expect(second.recall('region/us')).toBe('down');
    expect(second.notes('health/us').map(({data}) => data)).toEqual(['down']);
    second.remember('region/us', 'back');
    expect(first.recall('region/us')).toBe('back');
  });
}
