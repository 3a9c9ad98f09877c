import {describe, expect, it} from 'vitest';
import type {Plan} from '../../src/lib/plan/plan.ts';
import type {RunSetup} from '../../src/lib/run/context.ts';
import {undoRun} from '../../src/lib/run/resume.ts';
import {runPlan} from '../../src/lib/run/runner.ts';
import {abc} from './bench.ts';
import {fakeClock} from './fake-clock.ts';
import {CRASH, crashingState, freeLease, memoryState} from './memory-state.ts';
import {fact, memoryWorld, planOf, simulated, step} from './world.ts';

const release = {action: 'set', v: 1, target: {}, args: {name: 'claim', to: 'off'}};
/** A repair is taken back also when it is over. */
const repair: Plan = {
  ...planOf(abc(), {always: [step('release', {do: release, ensures: [fact('claim', 'off')], undo: null})]}),
  kind: 'repair',
};

/** A run that has succeeded. */
async function over() {
  const clock = fakeClock();
  const world = memoryWorld();
  const state = memoryState(clock);
  state.createRun('r1', 'lab', repair);
  const signal = new AbortController().signal;
  const setup = (each: RunSetup['state']): RunSetup => ({
    ...{runId: 'r1', state: each, lease: freeLease(), ...simulated(world), clock, signal, by: 'test'},
  });
  await runPlan({...setup(state), plan: repair});
  return {world, state, setup};
}

const counted = await over();
const counting = crashingState(counted.state, Number.POSITIVE_INFINITY, 'after');
const undisturbed = await undoRun(counted.setup(counting));
const points = Array.from({length: counting.count()}, (_, i) => i + 1).flatMap((at) => [[at, 'before'] as const, [at, 'after'] as const]);

describe('an undo that is killed', () => {
  it('is compared with one that nobody disturbed', () => {
    expect(undisturbed).toMatchObject({outcome: 'undone', exit: 0, reason: 'told to go back; undone: c, b, a'});
    // resumed, three steps with two lines each, the mark of always and its step, run-ended
    expect(counting.count()).toBe(1 + 6 + 1 + 2 + 1);
  });

  it.each(points)(
    'at line %i, %s it is written, comes to the same when it is taken up again, each effect taken back once',
    async (at, when) => {
      const {world, state, setup} = await over();
      await expect(undoRun(setup(crashingState(state, at, when)))).rejects.toBe(CRASH);
      const ended = state.events('r1').at(-1);
      if (ended?.type === 'run-ended' && at === counting.count())
        await expect(undoRun(setup(state))).rejects.toMatchObject({code: 'run-ended'});
      else expect(await undoRun(setup(state))).toMatchObject({outcome: 'undone', exit: 0, reason: undisturbed.reason});
      expect(world.log.filter((line) => /^[abc]=off/.test(line))).toEqual(['c=off', 'b=off', 'a=off']);
    },
  );
});
