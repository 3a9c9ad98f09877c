import {describe, expect, it} from 'vitest';
import {call, expect as fact, step} from '../../src/lib/failover/steps.ts';
import type {Action, Check} from '../../src/lib/plan/action.ts';
import type {Plan} from '../../src/lib/plan/plan.ts';
import {ActionRegistry, CheckRegistry} from '../../src/lib/run/registry.ts';
import {runPlan} from '../../src/lib/run/runner.ts';
import {systemClock} from '../../src/lib/run/system-clock.ts';
import {failoverPlan} from '../drill/plans.ts';
import {freeLease, memoryState} from './memory-state.ts';

const clock = systemClock();

type World = {holds: boolean | null; readonly done: string[]};

function act(world: World, name: string, apply: (signal: AbortSignal) => Promise<void>): Action {
  return {
    name,
    v: 1,
    effect: 'reversible',
    parse: (args) => args,
    describe: () => name,
    look: async () => 'before',
    async apply({signal}) {
      await apply(signal);
      world.done.push(name);
      return null;
    },
  };
}

async function runWith(world: World, steps: Plan['steps'], actions: readonly Action[]) {
  const plan: Plan = {...failoverPlan, id: 'r', kind: 'drill', gates: [], steps, always: [], abortIf: [fact('drill.abort', {}, {})]};
  const state = memoryState(clock);
  state.createRun('r', 'lab', plan);
  const well: Check = {name: 'well', ask: async () => ({holds: true, measured: null, says: 'well'})};
  const abort: Check = {name: 'drill.abort', ask: async () => ({holds: world.holds, measured: null, says: 'the other region is down'})};
  const result = await runPlan({
    ...{runId: 'r', plan, state, lease: freeLease(), clock, signal: new AbortController().signal},
    actions: new ActionRegistry(actions),
    checks: new CheckRegistry([well, abort]),
  });
  return {result, events: state.events('r')};
}

const first = step({
  id: 'first',
  phase: 'inject',
  title: 'first',
  do: call('first', {}),
  ensures: [fact('well', {}, true)],
  undo: call('back', {}),
});
const long = step({
  id: 'long',
  phase: 'detect',
  title: 'long',
  do: call('long', {}),
  ensures: [fact('well', {}, true)],
  deadlineMs: 60_000,
});

describe('an abort condition', () => {
  it('that comes to hold in the middle of a step cancels it, and everything is taken back', async () => {
    const world: World = {holds: false, done: []};
    const {result} = await runWith(
      world,
      [
        {...first, ensures: []},
        {...long, ensures: []},
      ].map((each) => ({...each, ensures: []})),
      [
        act(world, 'first', async () => undefined),
        act(world, 'back', async () => undefined),
        act(world, 'long', async (signal) => {
          world.holds = true;
          await clock.sleep(50_000, signal);
        }),
      ].map((action) => ({...action, effect: 'none' as const})),
    );
    expect(result).toMatchObject({outcome: 'undone', code: 'aborted'});
    expect(result.reason).toContain('aborted: the other region is down; undone: first');
    expect(world.done).toEqual(['first', 'back']);
  });

  it('that cannot be told aborts nothing', async () => {
    const world: World = {holds: null, done: []};
    const {result} = await runWith(
      world,
      [{...first, ensures: []}],
      [act(world, 'first', () => clock.sleep(30, new AbortController().signal)), act(world, 'back', async () => undefined)].map(
        (action) => ({...action, effect: 'none' as const}),
      ),
    );
    expect(result).toMatchObject({outcome: 'succeeded'});
  });

  it('after the point of no return is noted, and the run goes on', async () => {
    const world: World = {holds: false, done: []};
    const pivot = {...first, id: 'pivot', do: call('first', {store: 'orders'}), ensures: [], undo: null, pivot: true};
    const {result, events} = await runWith(
      world,
      [pivot, {...long, ensures: []}],
      [
        act(world, 'first', async () => undefined),
        act(world, 'long', async () => {
          world.holds = true;
          await clock.sleep(1300, new AbortController().signal);
        }),
      ].map((action) => ({...action, effect: 'none' as const})),
    );
    expect(result).toMatchObject({outcome: 'succeeded'});
    expect(world.done).toEqual(['first', 'long']);
    const notes = events.filter(({type}) => type === 'note').map(({data}) => JSON.stringify(data));
    expect(notes.join()).toContain('an abort condition held after the point of no return, so the run went on: the other region is down');
  });
});
