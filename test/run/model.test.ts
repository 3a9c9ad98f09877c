import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {Plan, Step} from '../../src/lib/plan/plan.ts';
import type {RunSetup} from '../../src/lib/run/context.ts';
import {resumeRun} from '../../src/lib/run/resume.ts';
import {runPlan} from '../../src/lib/run/runner.ts';
import {fakeClock} from './fake-clock.ts';
import {CRASH, crashingState, freeLease, memoryState} from './memory-state.ts';
import {fact, memoryWorld, planOf, simulated, step} from './world.ts';

type Shape = {readonly id: number; readonly after: readonly number[]; readonly already: boolean};
type History = {
  readonly shapes: readonly Shape[];
  readonly pivot: number;
  readonly crashes: readonly {at: number; after: boolean}[];
  readonly abortAt: number | null;
};

const histories: fc.Arbitrary<History> = fc.record({
  shapes: fc
    .array(fc.record({after: fc.array(fc.nat(7), {maxLength: 2}), already: fc.boolean(), order: fc.nat()}), {minLength: 1, maxLength: 7})
    .map((steps) => steps.map(({after, already}, id) => ({id, already, after: [...new Set(after.filter((other) => other < id))]}))),
  pivot: fc.integer({min: -1, max: 6}),
  crashes: fc.array(fc.record({at: fc.integer({min: 1, max: 30}), after: fc.boolean()}), {maxLength: 5}),
  abortAt: fc.option(fc.nat(6), {nil: null}),
});

describe('any plan, any crashes', () => {
  it('resume after resume reaches the same end state, and no effect comes before its intent', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (history) => {
        const sim = simulation(history);
        await sim.live(false);
        expect(sim.world.values).toEqual(new Map(history.shapes.map(({id}) => [`s${id}`, 'on'])));
        const on = sim.world.log.filter((line) => line.endsWith('=on'));
        expect(new Set(on).size).toBe(on.length);
      }),
      {numRuns: 300},
    );
  });

  it('an abort ends at one of the two ends: all undone that the run did, or all done', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (history) => {
        const sim = simulation({...history, crashes: []});
        const outcome = await sim.live(true);
        const ours = history.shapes.filter(({already}) => !already).map(({id}) => sim.world.get(`s${id}`));
        if (outcome === 'succeeded') expect(ours.every((value) => value === 'on')).toBe(true);
        else expect(ours.every((value) => value === 'off')).toBe(true);
        for (const {id} of history.shapes.filter(({already}) => already)) expect(sim.world.get(`s${id}`)).toBe('on');
      }),
      {numRuns: 300},
    );
  });
});

function simulation(history: History) {
  const clock = fakeClock();
  const world = memoryWorld();
  for (const {id} of history.shapes.filter(({already}) => already)) world.values.set(`s${id}`, 'on');
  const plan = planFor(history);
  const state = memoryState(clock);
  state.createRun('r', 'lab', plan);
  const abort = new AbortController();
  const registries = (aborting: boolean) =>
    simulated(world, {
      apply: async ({name, to}, set) => {
        const last = state.events('r').findLast((event) => event.type.endsWith('intent'));
        expect(last).toMatchObject({step: name, type: to === 'on' ? 'intent' : 'undo-intent'});
        set();
        if (aborting && to === 'on' && name === `s${history.abortAt}`) abort.abort();
        return undefined;
      },
    });
  const setup = (each: RunSetup['state'], aborting: boolean): RunSetup => {
    return {runId: 'r', state: each, lease: freeLease(), ...registries(aborting), clock, signal: abort.signal, by: 'test'};
  };
  const live = async (aborting: boolean): Promise<string> => {
    for (const {at, after} of history.crashes) {
      const outcome = await mayCrash(() => begin(setup(crashingState(state, at, after ? 'after' : 'before'), aborting), plan));
      if (outcome !== null) return outcome;
      if (state.events('r').at(-1)?.type === 'run-ended') return 'succeeded';
    }
    return begin(setup(state, aborting), plan);
  };
  return {world, live};
}

async function begin(setup: RunSetup, plan: Plan): Promise<string> {
  const begun = setup.state.events('r').length > 0;
  return (await (begun ? resumeRun(setup) : runPlan({...setup, plan}))).outcome;
}

async function mayCrash(work: () => Promise<string>): Promise<string | null> {
  try {
    return await work();
  } catch (error) {
    if (error === CRASH) return null;
    throw error;
  }
}

function planFor({shapes, pivot}: History): Plan {
  const steps = shapes.map(({id, after}): Step => {
    const before = after.map((other) => `s${other}`);
    return step(`s${id}`, {after: before, requires: before.map((other) => fact(other, 'on')), pivot: id === pivot});
  });
  return planOf(steps);
}
