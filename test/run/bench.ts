import type {Plan} from '../../src/lib/plan/plan.ts';
import type {RunSetup} from '../../src/lib/run/context.ts';
import {resumeRun, undoRun} from '../../src/lib/run/resume.ts';
import {type RunResult, runPlan} from '../../src/lib/run/runner.ts';
import {type FakeClock, fakeClock} from './fake-clock.ts';
import {freeLease, memoryState} from './memory-state.ts';
import {memoryWorld, type SimulatedWorld, simulated, step, type Tweaks} from './world.ts';

/** One simulated run with all that a test turns or looks at. */
export type Bench = {
  plan: Plan;
  world: SimulatedWorld;
  clock: FakeClock;
  setup: RunSetup;
  abort: AbortController;
  stop: AbortController;
  types(): string[];
  lease: ReturnType<typeof freeLease>;
  run(): Promise<RunResult>;
  resume(more?: Tweaks): Promise<RunResult>;
  undo(): Promise<RunResult>;
};

/** A run of `plan` on a world in memory, a virtual clock and a journal in memory. */
export function bench(plan: Plan, tweaks: Tweaks = {}): Bench {
  const clock = fakeClock();
  const world = memoryWorld();
  const state = memoryState(clock);
  const abort = new AbortController();
  const stop = new AbortController();
  const lease = freeLease();
  state.createRun('r1', 'lab', plan);
  const setup: RunSetup = {
    runId: 'r1',
    state,
    lease,
    ...simulated(world, tweaks),
    clock,
    signal: abort.signal,
    stopSignal: stop.signal,
    by: 'test',
  };
  const again = (more: Tweaks): RunSetup => {
    const {stopSignal: _, ...rest} = setup;
    return {...rest, ...simulated(world, more), signal: new AbortController().signal};
  };
  return {
    plan,
    world,
    clock,
    setup,
    abort,
    stop,
    lease,
    types: () => state.events('r1').map((event) => (event.step === null ? event.type : `${event.type} ${event.step}`)),
    run: () => runPlan({...setup, plan}),
    resume: (more = tweaks) => resumeRun(again(more)),
    undo: () => undoRun(again(tweaks)),
  };
}

/** Three steps in a chain. */
export const abc = (part: Parameters<typeof step>[1] = {}) => [
  step('a', part),
  step('b', {after: ['a'], ...part}),
  step('c', {after: ['b'], ...part}),
];
