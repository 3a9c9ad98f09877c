import {describe, expect, it} from 'vitest';
import type {Json} from '../../src/lib/plan/json.ts';
import type {Plan, Step} from '../../src/lib/plan/plan.ts';
import type {RunSetup} from '../../src/lib/run/context.ts';
import {resumeRun} from '../../src/lib/run/resume.ts';
import {runPlan} from '../../src/lib/run/runner.ts';
import {abc, bench} from './bench.ts';
import {fakeClock} from './fake-clock.ts';
import {CRASH, crashingState, freeLease, memoryState} from './memory-state.ts';
import {fact, memoryWorld, planOf, type SimulatedWorld, simulated, step} from './world.ts';

const always = [
  step('release', {do: {action: 'set', v: 1, target: {}, args: {name: 'claim', to: 'off'}}, ensures: [fact('claim', 'off')], undo: null}),
];
const failover: Plan = planOf(
  [
    step('claim'),
    step('seal', {after: ['claim'], phase: 'fence'}),
    step('promote', {after: ['seal'], requires: [fact('seal', 'on'), fact('claim', 'on')], pivot: true}),
    // What the seal reached is changed on purpose after the pivot.
    step('follow', {
      after: ['promote'],
      do: {action: 'set', v: 1, target: {}, args: {name: 'seal', to: 'followed'}},
      ensures: [fact('seal', 'followed')],
      undo: null,
    }),
    step('reroute', {after: ['follow'], requires: [fact('promote', 'on')]}),
  ],
  {always},
);
const END = {claim: 'off', seal: 'followed', promote: 'on', reroute: 'on'};

type Life = {world: SimulatedWorld; state: ReturnType<typeof memoryState>; setup(state: RunSetup['state']): RunSetup};

function life(plan: Plan): Life {
  const clock = fakeClock();
  const world = memoryWorld();
  const state = memoryState(clock);
  state.createRun('r1', 'lab', plan);
  const signal = new AbortController().signal;
  return {world, state, setup: (each) => ({runId: 'r1', state: each, lease: freeLease(), ...simulated(world), clock, signal, by: 'test'})};
}

const appends = await countAppends(failover);
const points = Array.from({length: appends}, (_, i) => i + 1).flatMap((at) => [[at, 'before'] as const, [at, 'after'] as const]);

describe('a crash at every point', () => {
  it('knows its points: before and after each line of the journal', () => {
    // run-started, five steps with three lines each, the mark of always and its step, run-ended
    expect(appends).toBe(1 + 15 + 1 + 3 + 1);
    expect(points).toHaveLength(2 * appends);
  });

  it.each(points)('at line %i, %s it is written: resume reaches the end state, each effect applied once', async (at, when) => {
    const {world, state, setup} = life(failover);
    await expect(runPlan({...setup(crashingState(state, at, when)), plan: failover})).rejects.toBe(CRASH);
    const ended = state.events('r1').at(-1)?.type === 'run-ended';
    if (ended) await expect(resumeRun(setup(state))).rejects.toThrow('nothing was done');
    else expect(await resumeRun(setup(state))).toMatchObject({outcome: 'succeeded', exit: 0});
    expect(Object.fromEntries(world.values)).toEqual(END);
    // The claim is given back by `always`, so a crash in there takes it anew; no other effect is ever repeated.
    const repeated = world.log.filter((line, i) => world.log.indexOf(line) !== i && !line.startsWith('claim='));
    expect(repeated).toEqual([]);
    assertIntentFirst(state.events('r1'), world.log);
  });

  it('crashes of the resume itself are resumed too', async () => {
    const {world, state, setup} = life(failover);
    await expect(runPlan({...setup(crashingState(state, 6, 'after')), plan: failover})).rejects.toBe(CRASH);
    for (let at = 1; at < 8; at++) await expect(resumeRun(setup(crashingState(state, at, 'after')))).rejects.toBe(CRASH);
    expect(await resumeRun(setup(state))).toMatchObject({outcome: 'succeeded'});
    expect(Object.fromEntries(world.values)).toEqual(END);
  });
});

describe('what resume asks again', () => {
  const stopped = (part: Partial<Step> = {}) => {
    const b = bench(planOf(abc({onFailure: 'stop', ...part})), {
      apply: async ({name}, set) => {
        if (name === 'c') throw new Error('c broke');
        set();
        return undefined;
      },
    });
    return b;
  };

  it('a finished step that lost what it reached runs again, and the journal says why', async () => {
    const b = stopped();
    await b.run();
    b.world.values.set('a', 'off');
    expect((await b.resume({})).outcome).toBe('succeeded');
    expect(b.world.log).toEqual(['a=on', 'b=on', 'a=on', 'c=on']);
    expect(b.setup.state.events('r1').find((event) => event.type === 'step-lost')).toMatchObject({
      step: 'a',
      data: {says: 'no longer so: a is off'},
    });
  });

  it('one whose fact cannot be told stops the run: unknown is not fine, and no reason to act', async () => {
    const b = stopped();
    await b.run();
    const result = await b.resume({
      answer: (name, value, want) => (name === 'a' ? null : value === want),
      look: ({name}, standing) => (name === 'a' ? 'unknown' : standing),
    });
    expect(result).toMatchObject({outcome: 'failed', code: 'target-unknown'});
    expect(b.world.log).toEqual(['a=on', 'b=on']);
  });

  it('after the pivot, what the rest of the plan does not stand on is left alone', async () => {
    const steps = [step('a'), step('p', {after: ['a'], pivot: true}), step('c', {after: ['p'], onFailure: 'stop'})];
    const failing = {
      apply: async ({name}: {name: string}, set: () => void) => {
        if (name === 'c') throw new Error('c broke');
        set();
        return undefined;
      },
    };
    const left = bench(planOf(steps), failing);
    await left.run();
    left.world.values.set('a', 'off');
    expect((await left.resume({})).outcome).toBe('succeeded');
    expect(left.world.log).toEqual(['a=on', 'p=on', 'c=on']);
    const needed = bench(
      planOf([...steps.slice(0, 2), step('c', {after: ['p'], onFailure: 'stop', requires: [fact('a', 'on')]})]),
      failing,
    );
    await needed.run();
    needed.world.values.set('a', 'off');
    expect((await needed.resume({})).outcome).toBe('succeeded');
    expect(needed.world.log).toEqual(['a=on', 'p=on', 'a=on', 'c=on']);
  });

  it('what a pivot stood on is not reached again once its effect is there, though its result was never written', async () => {
    const steps = [
      step('a'),
      step('p', {after: ['a'], pivot: true, onFailure: 'stop', requires: [fact('a', 'on')]}),
      step('c', {after: ['p'], onFailure: 'stop'}),
    ];
    for (const happened of [true, false]) {
      const b = bench(planOf(steps), {
        apply: async ({name}, set) => {
          if (name !== 'p' || happened) set();
          if (name === 'p') throw new Error('no answer in time');
          return undefined;
        },
      });
      expect((await b.run()).outcome).toBe('failed');
      b.world.values.set('a', 'off');
      expect((await b.resume({})).outcome).toBe('succeeded');
      expect(b.world.log).toEqual(happened ? ['a=on', 'p=on', 'c=on'] : ['a=on', 'a=on', 'p=on', 'c=on']);
    }
  });

  it('what a later step changed on purpose is not lost, and what always gives back is held', async () => {
    const target = {store: 'orders', member: 'm'};
    const on = (id: string, name: string, to: string, part: Partial<Step> = {}) =>
      step(id, {do: {action: 'set', v: 1, target, args: {name, to}}, ensures: [fact(name, to)], undo: null, onFailure: 'stop', ...part});
    const release = on('release', 'claim', 'off', {do: {action: 'set', v: 1, target: {store: 'orders'}, args: {name: 'claim', to: 'off'}}});
    const plan = planOf(
      [
        on('claim', 'claim', 'on', {
          do: {action: 'set', v: 1, target: {store: 'orders'}, args: {name: 'claim', to: 'on'}},
          undo: release.do,
        }),
        on('fence', 'gate', 'shut'),
        on('unfence', 'door', 'open'),
        step('c', {onFailure: 'stop', do: {action: 'set', v: 1, target: {member: 'c'}, args: {name: 'c', to: 'on'}}}),
      ],
      {always: [release]},
    );
    const b = bench(plan, {
      apply: async ({name}, set) => {
        if (name === 'c') throw new Error('c broke');
        set();
        return undefined;
      },
    });
    await b.run();
    b.world.values.set('gate', 'open');
    expect((await b.resume({})).outcome).toBe('succeeded');
    expect(b.world.log).toEqual(['claim=on', 'gate=shut', 'door=open', 'claim=off', 'claim=on', 'c=on', 'claim=off']);
  });

  it('what a step of the plan has given back is not taken again, neither on resume nor on the way back', async () => {
    const off = {action: 'set', v: 1, target: {}, args: {name: 'load', to: 'off'}};
    const plan = planOf(
      [
        step('load', {undo: off}),
        step('work', {after: ['load']}),
        step('unload', {after: ['work'], do: off, ensures: [fact('load', 'off')], undo: null}),
        step('c', {after: ['unload'], onFailure: 'stop'}),
      ],
      {always: [step('end', {do: off, ensures: [fact('load', 'off')], undo: null})]},
    );
    const failing = {
      apply: async ({name}: {name: string}, set: () => void) => {
        if (name === 'c') throw new Error('c broke');
        set();
        return undefined;
      },
    };
    const b = bench(plan, failing);
    await b.run();
    expect((await b.resume({})).outcome).toBe('succeeded');
    expect(b.world.log).toEqual(['load=on', 'work=on', 'load=off', 'c=on']);
    const undoing = plan.steps.map((each) => (each.id === 'c' ? {...each, onFailure: 'undo' as const} : each));
    const back = bench({...plan, steps: undoing}, failing);
    expect((await back.run()).outcome).toBe('undone');
    expect(back.world.log).toEqual(['load=on', 'work=on', 'load=off', 'work=off']);
  });

  it('what followed a member that a later step has stopped on purpose is not brought back under it', async () => {
    const join = step('join', {
      do: {action: 'set', v: 1, target: {store: 'orders', member: 'home'}, args: {name: 'home', to: 'away'}},
      ensures: [{...fact('home', 'away'), target: {store: 'orders', member: 'home'}}],
      undo: null,
    });
    const stopAway = step('stop-away', {
      do: {action: 'set', v: 1, target: {store: 'orders', member: 'away'}, args: {name: 'stop', to: 'on'}},
    });
    const rest = step('c', {onFailure: 'stop'});
    const b = bench(planOf([join, {...stopAway, ensures: [fact('stop', 'on')]}, rest]), {
      apply: async ({name}, set) => {
        if (name === 'c') throw new Error('c broke');
        set();
        return undefined;
      },
    });
    await b.run();
    b.world.values.set('home', 'nobody');
    expect((await b.resume({})).outcome).toBe('succeeded');
    expect(b.world.log).toEqual(['home=away', 'stop=on', 'c=on']);
  });

  it('a step without facts that can be undone is looked at: a lost session is taken again', async () => {
    const session = step('s', {ensures: [], do: {action: 'read', v: 1, target: {}, args: {name: 's', to: 'on'}}, onFailure: 'stop'});
    const b = bench(planOf([session, step('c', {onFailure: 'stop'})]), {
      apply: async () => {
        throw new Error('c broke');
      },
    });
    await b.run();
    expect((await b.resume({})).outcome).toBe('succeeded');
    expect(b.types().filter((type) => type === 'intent s')).toHaveLength(2);
  });

  it('as long as nothing was touched the plan must still fit the fleet', async () => {
    const plan = planOf(abc(), {expects: [fact('primary', 'off')]});
    const {world, state, setup} = life(plan);
    await expect(runPlan({...setup(crashingState(state, 1, 'after')), plan})).rejects.toBe(CRASH);
    world.values.set('primary', 'on');
    expect(await resumeRun(setup(state))).toMatchObject({outcome: 'failed', code: 'plan-outdated', exit: 77});
    expect(world.log).toEqual([]);
  });

  it('undone steps run again when a run whose way back was cut short is resumed', async () => {
    const b = bench(planOf(abc()), {
      apply: async ({name, to}, set) => {
        set();
        if (name === 'b' && to === 'on') throw new Error('b broke');
        if (name === 'a' && to === 'off') throw new Error('a sticks');
        return undefined;
      },
    });
    expect((await b.run()).outcome).toBe('failed');
    expect((await b.resume({})).outcome).toBe('succeeded');
    expect(Object.fromEntries(b.world.values)).toEqual({a: 'on', b: 'on', c: 'on'});
  });

  it('whoever told a run to go back, and could not be followed, is told to do that again', async () => {
    let sticks = true;
    const b = bench(planOf(abc()), {
      apply: async ({name, to}, set) => {
        if (name === 'c' && to === 'on') throw new Error('c broke');
        if (name === 'a' && to === 'off' && sticks) throw new Error('a sticks');
        set();
        return undefined;
      },
    });
    expect((await b.run()).outcome).toBe('failed');
    expect((await b.undo()).reason).toMatch(/a sticks.*Take back what is left with `regionctl runs undo r1`$/);
    sticks = false;
    expect((await b.undo()).outcome).toBe('undone');
    expect(b.world.values.get('a')).toBe('off');
  });
});

async function countAppends(plan: Plan): Promise<number> {
  const {state, setup} = life(plan);
  const counting = crashingState(state, Number.POSITIVE_INFINITY, 'after');
  await runPlan({...setup(counting), plan});
  return counting.count();
}

/** As many intents as effects at least: none was made without its line. */
function assertIntentFirst(events: readonly {type: string}[], log: readonly string[]): void {
  expect(events.filter((event) => event.type === 'intent' || event.type === 'undo-intent').length).toBeGreaterThanOrEqual(log.length);
}

describe('a move that a failback has given up since', () => {
  const move = planOf([step('claim', {undo: null}), step('promote', {after: ['claim'], pivot: true, undo: null, onFailure: 'stop'})], {
    kind: 'drill',
  });
  const failback = (part: Partial<Plan> = {}) =>
    planOf([step('release')], {id: 'f1', kind: 'failback', from: 'us-east', to: 'us-east', ...part});

  /** The move fails at its point of no return; then another run acts, whose journal ends as it is given. */
  async function givenUp(plan: Plan, lines: readonly (readonly [string, string | null, Json])[], {first = move, fleet = 'lab'} = {}) {
    const b = bench(first, {
      apply: async ({name}, set) => {
        if (name === 'promote') throw new Error('no answer in time');
        set();
        return undefined;
      },
    });
    expect((await b.run()).outcome).toBe('failed');
    b.clock.advance(1000);
    const {state} = b.setup;
    state.createRun('f1', fleet, plan);
    for (const [type, on, data] of lines) state.append('f1', {type, step: on, data});
    const outcome = await b.resume({}).then(
      ({outcome: end}) => end,
      (error: unknown) => error,
    );
    return {outcome, log: b.world.log, types: b.types()};
  }

  const acted = [['intent', 'release', {action: 'set', v: 1, says: 'let go'}]] as const;
  const ended = (outcome: string) => [...acted, ['run-ended', null, {outcome, code: outcome, reason: null}]] as const;

  it('is not tried again by a resume, however the failback ended', async () => {
    for (const lines of [acted, ended('succeeded'), ended('failed')]) {
      const {outcome, log, types} = await givenUp(failback(), lines);
      expect(outcome).toMatchObject({
        code: 'given-up',
        exit: 77,
        message: expect.stringContaining('the failback f1 has given up its move'),
        suggestions: [expect.stringContaining('plan it anew')],
      });
      expect(log).toEqual(['claim=on']);
      expect(types).not.toContain('resumed');
    }
  });

  it('goes on where the failback did nothing, was undone, was before it, of another fleet, or went elsewhere', async () => {
    const goesOn = [
      await givenUp(failback(), []),
      await givenUp(failback(), ended('undone')),
      await givenUp(failback(), ended('succeeded'), {fleet: 'other'}),
      await givenUp(failback({to: 'ap'}), ended('succeeded')),
      await givenUp(failback({kind: 'failover'}), ended('succeeded')),
      // It had a primary to move, or has only claimed: nothing is given up by that.
      await givenUp(failback({steps: [step('release'), step('home', {pivot: true, undo: null})]}), ended('failed')),
      await givenUp(failback({steps: [step('release', {phase: 'preflight'})]}), ended('failed')),
    ];
    for (const {outcome, log} of goesOn) {
      expect(outcome).toBe('succeeded');
      expect(log).toEqual(['claim=on', 'promote=on']);
    }
  });

  const reroute = step('release', {phase: 'reroute'});
  const emptied = planOf([step('claim', {undo: null}), step('promote', {after: ['claim'], undo: null, onFailure: 'stop'})], {
    ...{kind: 'evacuation', from: 'us-east', to: null},
  });
  const takenBack = planOf(emptied.steps, {kind: 'readmission', from: null, to: 'us-east'});

  it.each([
    ['an evacuation', emptied, {kind: 'readmission', from: null, to: 'us-east'}, 'f1 has given the region its traffic back since'],
    ['a readmission', takenBack, {kind: 'evacuation', from: 'us-east', to: null}, 'f1 has emptied the region again since'],
  ] as const)('is what %s is, once a later run has changed the routes of its region the other way', async (_name, first, later, says) => {
    const other = planOf([reroute], {id: 'f1', ...later});
    expect((await givenUp(other, acted, {first})).outcome).toMatchObject({
      code: 'given-up',
      exit: 77,
      message: expect.stringContaining(says),
    });
    // One that only looked has given nothing up, nor has one of another region.
    expect((await givenUp(planOf([step('release')], {id: 'f1', ...later}), acted, {first})).outcome).toBe('succeeded');
    const elsewhere = {from: later.from === null ? null : 'ap', to: later.to === null ? null : 'ap'};
    expect((await givenUp(planOf([reroute], {id: 'f1', ...later, ...elsewhere}), acted, {first})).outcome).toBe('succeeded');
  });

  it('is no matter to a drill that moves nothing itself: who reacts to it may well fail back', async () => {
    const reaction = planOf([step('react', {undo: null}), step('promote', {after: ['react'], undo: null, onFailure: 'stop'})], {
      kind: 'drill',
    });
    expect((await givenUp(failback(), ended('succeeded'), {first: reaction})).outcome).toBe('succeeded');
  });
});
