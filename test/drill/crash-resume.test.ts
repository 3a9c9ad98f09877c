import {describe, expect, it} from 'vitest';
import {composeDrill} from '../../src/lib/drill/compose-drill.ts';
import {parseDrill} from '../../src/lib/drill/drill-file.ts';
import {call, expect as fact, step} from '../../src/lib/failover/steps.ts';
import type {Action, Check} from '../../src/lib/plan/action.ts';
import type {Json} from '../../src/lib/plan/json.ts';
import type {Plan, Step} from '../../src/lib/plan/plan.ts';
import type {State} from '../../src/lib/ports/state.ts';
import {ActionRegistry, CheckRegistry} from '../../src/lib/run/registry.ts';
import {resumeRun, undoRun} from '../../src/lib/run/resume.ts';
import {runPlan} from '../../src/lib/run/runner.ts';
import {fakeClock} from '../run/fake-clock.ts';
import {CRASH, crashingState, freeLease, memoryState} from '../run/memory-state.ts';
import {inputOf} from './plans.ts';

const LOADED = 'load: {rate: 5}\n';
const drillOf = (reaction: string, more = ''): Plan => {
  const text = `name: d\nfault: {kind: partition, region: us-east}\nreaction: ${reaction}\nwitness: {warmUp: 0s, coolDown: 0s}\n${more}`;
  const plan = composeDrill(inputOf(parseDrill(text, {file: '/d.yaml', cwd: '/'}), {reactionPlan: null, runId: 'r1'}));
  return {...plan, gates: plan.gates.map((gate) => ({...gate, verdict: 'pass'}))};
};
const NONE = drillOf('{none: {for: 10ms}}', LOADED);

/** What is done instead of an action's effect; `log` has the name of each action that was applied. */
type Tweaks = Readonly<Record<string, () => unknown>>;

/** A region whose fault outlives every process, and what lives only as long as its process: a witness, a load and a claim. */
function bench(plan: Plan) {
  const clock = fakeClock();
  const state = memoryState(clock);
  state.createRun('r1', 'lab', plan);
  const world = {active: [] as string[], writable: false, log: [] as string[]};
  const setup = (of: State, tweaks: Tweaks = {}) => ({
    ...{runId: 'r1', state: of, lease: freeLease(), clock, signal: new AbortController().signal, by: 'test'},
    ...processOf(plan, world, tweaks),
  });
  const crash = async (at: number): Promise<boolean> => {
    const ended = await runPlan({...setup(crashingState(state, at, 'after')), plan}).catch((error: unknown) => error);
    return ended === CRASH;
  };
  const began = (action: string): number => world.log.filter((name) => name === action).length;
  return {state, world, setup, crash, began};
}

/** One process: what runs in it ends with it. */
function processOf(plan: Plan, world: {active: string[]; writable: boolean; log: string[]}, tweaks: Tweaks) {
  const held: Record<string, boolean> = {};
  const effects: Readonly<Record<string, () => void>> = {
    'fault.inject': () => void world.active.splice(0, 1, 'partition'),
    'fault.heal': () => void world.active.splice(0),
    'reaction.command': () => {
      world.writable = true;
    },
  };
  const actionOf = (name: string): Action => {
    const [what = '', verb = ''] = name.split('.');
    const begins = verb === 'start' || verb === 'claim';
    const ends = verb === 'stop' || verb === 'release';
    return {
      ...{name, v: 1, parse: (args: Json) => args, describe: () => name},
      effect: name === 'fault.inject' ? 'leased' : begins || name === 'fault.heal' ? 'reversible' : 'none',
      look: async () => (begins && held[what] === true ? 'done' : 'before'),
      apply: async () => {
        world.log.push(name);
        if (name in tweaks) await tweaks[name]?.();
        else effects[name]?.();
        if (begins || ends) held[what] = begins;
        return {says: name};
      },
    };
  };
  const answers: Readonly<Record<string, (want: Json) => boolean>> = {
    'fault.active': (want) => JSON.stringify(want) === JSON.stringify(world.active),
    'witness.running': (want) => (held.witness === true) === want,
    'load.running': (want) => (held.load === true) === want,
    'store.claimed': (want) => (held.store === true) === want,
    'service.writable': () => world.writable,
  };
  const checkOf = (name: string): Check => ({
    name,
    ask: async (_ctx, _target, want) => ({holds: answers[name]?.(want) ?? true, measured: null, says: name}),
  });
  const all = [...plan.steps, ...plan.always];
  const calls = all.flatMap(({do: each, undo}) => (undo === null ? [each.action] : [each.action, undo.action]));
  const facts = [...all.flatMap(({requires, ensures}) => [...requires, ...ensures]), ...plan.gates.flatMap(({asks}) => asks)];
  const unique = (names: readonly string[]) => [...new Set(names)];
  return {
    actions: new ActionRegistry(unique(calls).map(actionOf)),
    checks: new CheckRegistry(unique(facts.map(({check}) => check)).map(checkOf)),
  };
}

const points = Array.from({length: await linesOf(NONE)}, (_, index) => index + 1);
const sure = await lineOf(NONE, 'result', 'outlasted');
const isDone = (state: State, id: string): boolean => state.events('r1').some((line) => line.type === 'result' && line.step === id);

describe('a drill without a point of no return that was killed', () => {
  it('knows the lines of its journal', () => {
    expect(points.length).toBeGreaterThan(40);
  });

  it.each(points.slice(0, -1))('at line %i injects nothing once it was healed, and starts nothing that was stopped', async (at) => {
    const {state, setup, crash, began} = bench(NONE);
    expect(await crash(at)).toBe(true);
    const stopped = {witness: isDone(state, 'witness-stop'), load: isDone(state, 'load-stop')};
    const before = {witness: began('witness.start'), load: began('load.start')};
    expect(await resumeRun(setup(state))).toMatchObject({outcome: 'succeeded', exit: 0});
    expect(began('fault.inject')).toBe(1);
    if (stopped.witness) expect(began('witness.start')).toBe(before.witness);
    if (stopped.load) expect(began('load.start')).toBe(before.load);
  });

  it.each(points.filter((at) => at >= sure && at < points.length))(
    'at line %i injects nothing more when the lease of its fault ended after it was seen to outlast the reaction',
    async (at) => {
      const {state, world, setup, crash, began} = bench(NONE);
      expect(await crash(at)).toBe(true);
      world.active = [];
      expect(await resumeRun(setup(state))).toMatchObject({outcome: 'succeeded'});
      expect(began('fault.inject')).toBe(1);
    },
  );

  it('injects again what had ended by itself before the reaction was over, as long as nobody healed it', async () => {
    const {state, world, setup, crash, began} = bench(NONE);
    await crash(await lineOf(NONE, 'intent', 'detect'));
    world.active = [];
    expect(await resumeRun(setup(state))).toMatchObject({outcome: 'succeeded'});
    expect(began('fault.inject')).toBe(2);
  });

  it('names the way back where its reaction failed, since its fault is healed then and nobody goes on without it', async () => {
    const plan = drillOf('{exec: {run: [page]}}');
    const {state, setup, world, began} = bench(plan);
    const failing = {
      'reaction.exec': () => {
        throw new Error('nobody came');
      },
    };
    const {outcome, reason} = await runPlan({...setup(state, failing), plan});
    expect([outcome, world.active]).toEqual(['failed', []]);
    expect(reason).toContain('nobody came. Take back what is left with `regionctl runs undo r1`');
    expect(await resumeRun(setup(state))).toMatchObject({outcome: 'failed', code: 'fault-over'});
    expect(began('fault.inject')).toBe(1);
  });

  it('keeps what the witness measured where only its stop is to be told again', async () => {
    const {state, setup, began} = bench(NONE);
    const failing = {
      'witness.stop': () => {
        if (began('witness.stop') === 1) throw new Error('not read back in time');
      },
    };
    const at = await lineOf(NONE, 'result', 'witness-end');
    await runPlan({...setup(crashingState(state, at, 'after'), failing), plan: NONE}).catch(() => undefined);
    expect(isDone(state, 'witness-stop')).toBe(false);
    expect(isDone(state, 'witness-end')).toBe(true);
    await resumeRun(setup(state));
    expect(began('witness.start')).toBe(1);
    expect(began('fault.inject')).toBe(1);
  });

  it('does not let another process fail over again because the service takes no writes after the fault was healed', async () => {
    const plan = drillOf('{failover: {by: command, to: eu-west}}');
    const {state, world, setup, crash, began} = bench(plan);
    expect(await crash(await lineOf(plan, 'result', 'heal'))).toBe(true);
    world.writable = false;
    await resumeRun(setup(state));
    expect(began('reaction.command')).toBe(1);
  });
});

describe('a drill whose fault was healed before its reaction was over', () => {
  const plan = drillOf('{exec: {run: [/bin/react], within: 1s}}');
  const fails = {
    'reaction.exec': () => {
      throw new Error('it ended with 1');
    },
  };

  it('is not gone on with: no program reacts to a fault that is not there, however often it is resumed', async () => {
    const {state, world, setup, began} = bench(plan);
    expect(await runPlan({...setup(state, fails), plan})).toMatchObject({outcome: 'failed'});
    expect(world.active).toEqual([]);
    for (const at of [3, Number.POSITIVE_INFINITY]) {
      const resumed = await resumeRun(setup(crashingState(state, at, 'after'))).catch((error: unknown) => error);
      if (resumed !== CRASH) expect(resumed).toMatchObject({outcome: 'failed', code: 'fault-over', exit: 2});
    }
    expect([began('fault.inject'), began('reaction.exec')]).toEqual([1, 1]);
    expect(began('drill.primaries')).toBeGreaterThan(1);
  });
});

describe('a fault that another process than that of the run has ended', () => {
  it.each([
    ['lease', 'succeeded', 2],
    ['heal', 'failed', 1],
  ] as const)('by %s, while it was still needed: the resumed drill %s', async (by, outcome, injected) => {
    const {state, world, setup, crash, began} = bench(NONE);
    await crash(await lineOf(NONE, 'intent', 'detect'));
    world.active = [];
    const ended = {fault: 'partition', region: 'us-east', at: new Date(0).toISOString(), by};
    state.append('r1', {type: 'note', step: null, data: {says: 'it has ended', ended}});
    expect(await resumeRun(setup(state))).toMatchObject({outcome});
    expect(began('fault.inject')).toBe(injected);
  });
});

describe('undo of a drill that was killed with its fault active', () => {
  const throws = (says: string) => () => {
    throw new Error(says);
  };

  it('heals it though neither the witness nor the load could start again', async () => {
    const {state, world, setup, crash, began} = bench(NONE);
    await crash(await lineOf(NONE, 'intent', 'detect'));
    expect(world.active).toEqual(['partition']);
    const broken = {'witness.start': throws('its file cannot be written'), 'load.start': throws('the generator is gone')};
    const result = await undoRun(setup(state, broken));
    expect(result).toMatchObject({outcome: 'undone', exit: 0, reason: expect.stringContaining('inject')});
    expect(world.active).toEqual([]);
    expect([began('witness.start'), began('load.start')]).toEqual([1, 1]);
    expect(began('witness.stop')).toBe(1);
  });

  it('heals it also where what keeps others out cannot be had again, and takes nothing else back', async () => {
    const {plan, fence} = claimed();
    const {state, world, setup, crash, began} = bench(plan);
    await crash(await lineOf(plan, 'result', fence));
    const result = await undoRun(setup(state, {'store.claim': throws('another has it')}));
    expect(result).toMatchObject({
      outcome: 'failed',
      exit: 2,
      reason: expect.stringMatching(/^claim: .*another has it; nothing was taken back but inject$/),
    });
    expect(world.active).toEqual([]);
    expect(began('store.unfence')).toBe(0);
    expect(await undoRun(setup(state))).toMatchObject({outcome: 'undone', exit: 0});
    expect([began('store.claim'), began('store.unfence'), began('fault.inject')]).toEqual([3, 1, 1]);
  });
});

/** A drill that acts under a claim, which `always` gives back. */
function claimed(): {plan: Plan; fence: string} {
  const isOurs = fact('store.claimed', {store: 'orders'}, true);
  const release = call('store.release', {store: 'orders'});
  const own: Step[] = [
    step({id: 'claim', phase: 'preflight', title: 'claim', do: call('store.claim', {store: 'orders'}), ensures: [isOurs], undo: release}),
    step({
      ...{id: 'fence', phase: 'fence', title: 'fence', do: call('store.fence', {store: 'orders'}), after: ['claim'], requires: [isOurs]},
      undo: call('store.unfence', {store: 'orders'}),
    }),
  ];
  const at = NONE.steps.findIndex(({id}) => id === 'left-alone');
  const steps = [...NONE.steps.slice(0, at), ...own, ...NONE.steps.slice(at)];
  const end = step({id: 'release', phase: 'heal', title: 'release', do: release, onFailure: 'continue'});
  return {plan: {...NONE, steps, always: [...NONE.always, end]}, fence: 'fence'};
}

/** How many lines the journal has when nothing goes wrong. */
async function linesOf(plan: Plan): Promise<number> {
  return (await wholeJournal(plan)).length;
}

/** The number of a line of it. */
async function lineOf(plan: Plan, type: string, id: string): Promise<number> {
  const line = (await wholeJournal(plan)).find((each) => each.type === type && each.step === id);
  if (line === undefined) throw new Error(`there is no ${type} of ${id}`);
  return line.seq;
}

async function wholeJournal(plan: Plan) {
  const {state, setup} = bench(plan);
  expect(await runPlan({...setup(state), plan})).toMatchObject({outcome: 'succeeded'});
  return state.events('r1');
}
