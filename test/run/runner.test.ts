import {describe, expect, it} from 'vitest';
import {unavailable} from '../../src/lib/errors.ts';
import type {Json} from '../../src/lib/plan/json.ts';
import type {RunSetup} from '../../src/lib/run/context.ts';
import {runPlan} from '../../src/lib/run/runner.ts';
import {abc, bench} from './bench.ts';
import {fact, planOf, step, type Tweaks} from './world.ts';

describe('the way forward', () => {
  it('runs the steps in the order of the plan, each with its intent before and its result after the effect', async () => {
    const b = bench(planOf(abc()));
    const result = await b.run();
    expect(result).toEqual({runId: 'r1', outcome: 'succeeded', code: 'ok', reason: 'every step is done', exit: 0});
    expect(b.world.log).toEqual(['a=on', 'b=on', 'c=on']);
    expect(b.types()).toEqual([
      'run-started',
      ...['a', 'b', 'c'].flatMap((id) => [`step-started ${id}`, `intent ${id}`, `result ${id}`]),
      'run-ended',
    ]);
  });

  it('skips a step whose ensures all hold already, and says so', async () => {
    const b = bench(planOf(abc()));
    b.world.values.set('b', 'on');
    await b.run();
    expect(b.world.log).toEqual(['a=on', 'c=on']);
    expect(b.setup.state.events('r1').find((event) => event.type === 'step-skipped')?.data).toEqual({says: 'already done: b is on'});
  });

  it('says in one line that nothing was done when everything was done already', async () => {
    const b = bench(planOf(abc()));
    for (const id of ['a', 'b', 'c']) b.world.values.set(id, 'on');
    expect((await b.run()).reason).toBe('nothing was done: everything was already as planned');
    expect(b.world.log).toEqual([]);
  });

  it('never skips a step without ensures that way', async () => {
    const read = step('a', {ensures: [], do: {action: 'read', v: 1, target: {}, args: {name: 'a', to: 'on'}}, undo: null});
    const b = bench(planOf([read]));
    expect((await b.run()).reason).toBe('every step is done');
    expect(b.types()).toContain('result a');
  });

  it('waits for the ensures after the effect and goes on when they hold', async () => {
    let asked = 0;
    const b = bench(planOf([step('a')]), {answer: (_, value, want) => value === want && ++asked > 3});
    expect((await b.run()).outcome).toBe('succeeded');
    expect(b.clock.now()).toBe(20 + 40 + 80);
  });

  it('fails a step whose ensures never hold, with the sentence of the check, at its deadline', async () => {
    const b = bench(planOf([step('a', {onFailure: 'stop'})]), {answer: () => false});
    const result = await b.run();
    expect(result).toMatchObject({outcome: 'failed', code: 'not-ensured', exit: 2});
    expect(result.reason).toBe('a: a is on. Go on with `regionctl runs resume r1`');
    expect(b.clock.now()).toBe(1000);
  });

  it('samples what must keep holding, and fails when it does not', async () => {
    const hold = {forMs: 1000, everyMs: 100, minSamples: 3, watch: [fact('sun', 'off')]};
    const good = bench(planOf([step('a', {hold})]));
    expect((await good.run()).outcome).toBe('succeeded');
    expect(good.clock.now()).toBe(1000);
    let samples = 0;
    const bad = bench(planOf([step('a', {hold})]), {answer: (name, value, want) => (name === 'sun' ? ++samples < 4 : value === want)});
    expect(await bad.run()).toMatchObject({outcome: 'undone', code: 'not-held'});
  });
});

describe('what stops a step before its effect', () => {
  it.each([
    ['false', false],
    ['unknown', null],
  ])('a requirement that is %s', async (_, holds) => {
    const b = bench(planOf([step('a', {requires: [fact('x', 'on')], onFailure: 'stop'})]), {
      answer: (name, value, want) => (name === 'x' ? holds : value === want),
    });
    const result = await b.run();
    expect(result).toMatchObject({outcome: 'failed', code: 'requires', exit: 77});
    expect(result.reason).toContain('a: x is off');
    expect(b.world.log).toEqual([]);
    expect(b.types()).not.toContain('intent a');
  });

  it('a check that throws is unknown, never a yes', async () => {
    const b = bench(planOf([step('a', {requires: [fact('x', 'on')], onFailure: 'stop'})]), {
      answer: (name) => {
        if (name === 'x') throw new Error('connection refused');
        return false;
      },
    });
    expect((await b.run()).reason).toContain('is of x could not be told: connection refused');
    expect(b.world.log).toEqual([]);
  });

  it.each(['elsewhere', 'unknown'] as const)('a target that stands %s', async (standing) => {
    const b = bench(planOf([step('a', {onFailure: 'stop'})]), {look: () => standing});
    expect(await b.run()).toMatchObject({outcome: 'failed', code: `target-${standing}`});
    expect(b.world.log).toEqual([]);
  });

  it('a lease that is lost ends everything on the spot: no effect, no undo, no always steps', async () => {
    const b = bench(planOf(abc(), {always: [step('z')]}), {
      apply: async (_, set) => {
        set();
        b.lease.lose();
        return undefined;
      },
    });
    await expect(b.run()).rejects.toMatchObject({code: 'lease-lost', exit: 75});
    expect(b.world.log).toEqual(['a=on']);
  });

  it.each([
    ['before the step is looked at', 'result a', ['result a']],
    ['before the intent', 'step-started b', ['step-started b']],
    ['between the intent of a pivot and its effect', 'intent b', ['intent b']],
  ])('a lease that is lost %s', async (_, at, last) => {
    const b = bench(planOf([step('a'), step('b', {pivot: true})]));
    const onEvent = ({type, step: id}: {type: string; step: string | null}) => {
      if (`${type} ${id}` === at) b.lease.lose();
    };
    await expect(runPlan({...b.setup, plan: b.plan, onEvent})).rejects.toMatchObject({code: 'lease-lost'});
    expect(b.world.log).toEqual(['a=on']);
    expect(b.types().slice(-1)).toEqual(last);
  });

  it('a shut gate, and a world that the plan does not expect: 77, and nothing was touched', async () => {
    const gate = {
      id: 'healthy',
      asks: [],
      verdict: 'unknown' as const,
      measured: null,
      says: 'eu-west was not measured',
      overridable: true,
    };
    const shut = bench(planOf(abc(), {gates: [gate], always: [step('z')]}));
    expect(await shut.run()).toMatchObject({outcome: 'failed', code: 'gate-refused', exit: 77});
    expect(shut.world.log).toEqual([]);
    const passed = bench(planOf(abc(), {gates: [gate], overrides: [{gate: 'healthy', reason: 'drill', by: 'ana'}]}));
    expect(await passed.run()).toMatchObject({outcome: 'succeeded'});
    const moved = bench(planOf(abc(), {expects: [fact('primary', 'on')]}));
    expect(await moved.run()).toMatchObject({outcome: 'failed', code: 'plan-outdated', exit: 77});
  });

  it('a pivot asks its requirements again after its intent, and takes the intent back when they fail', async () => {
    let asked = 0;
    const plan = planOf([step('a'), step('b', {after: ['a'], pivot: true, requires: [fact('a', 'on')]})]);
    const b = bench(plan, {
      answer: (name, value, want) => (name === 'a' && b.types().includes('intent b') ? ++asked > 99 : value === want),
    });
    expect(await b.run()).toMatchObject({outcome: 'undone', code: 'requires'});
    expect(b.world.log).toEqual(['a=on', 'a=off']);
    expect(b.setup.state.events('r1').find((event) => event.type === 'step-failed')?.data).toMatchObject({effect: 'withdrawn'});
  });

  // Nobody waits for a look before the intent: it is taken with what the pivot requires, and the way back is open still.
  it.each(['elsewhere', 'unknown'] as const)('a pivot whose target stands %s', async (standing) => {
    const b = bench(planOf([step('a'), step('b', {after: ['a'], pivot: true})]), {
      look: ({name}, seen) => (name === 'b' ? standing : seen),
    });
    expect(await b.run()).toMatchObject({outcome: 'undone', code: `target-${standing}`});
    expect(b.world.log).toEqual(['a=on', 'a=off']);
    expect(b.setup.state.events('r1').find((event) => event.type === 'step-failed')?.data).toMatchObject({effect: 'withdrawn'});
  });

  it('a pivot that another hand has done is not done again', async () => {
    // Whatever it required is behind it.
    const pivot = step('b', {after: ['a'], pivot: true, requires: [fact('gone', 'on')]});
    const b = bench(planOf([step('a'), pivot]), {look: ({name}, seen) => (name === 'b' ? 'done' : seen)});
    b.world.values.set('b', 'on');
    expect(await b.run()).toMatchObject({outcome: 'succeeded'});
    expect(b.world.log).toEqual(['a=on']);
  });
});

describe('failures', () => {
  const failAt = (id: string): Tweaks => ({
    apply: async ({name, to}, set) => {
      if (name === id && to === 'on') throw new Error(`${id} broke`);
      set();
      return undefined;
    },
  });

  it('undo: takes back in reverse order, the failed step included, and ends undone', async () => {
    const b = bench(planOf(abc()), {
      apply: async ({name, to}, set) => {
        set();
        if (name === 'c' && to === 'on') throw new Error('half done');
        return undefined;
      },
    });
    expect(await b.run()).toEqual({runId: 'r1', outcome: 'undone', code: 'step-failed', reason: 'c: half done; undone: c, b, a', exit: 2});
    expect(b.world.log).toEqual(['a=on', 'b=on', 'c=on', 'c=off', 'b=off', 'a=off']);
  });

  it('stop: leaves everything as it is and says how to resume', async () => {
    const b = bench(planOf(abc({onFailure: 'stop'})), failAt('b'));
    expect(await b.run()).toMatchObject({outcome: 'failed', reason: 'b: b broke. Go on with `regionctl runs resume r1`'});
    expect(b.world.log).toEqual(['a=on']);
    expect((await b.resume({})).outcome).toBe('succeeded');
    expect(b.world.log).toEqual(['a=on', 'b=on', 'c=on']);
  });

  it('continue: the run succeeds without it, with a warning that names it', async () => {
    const b = bench(planOf([step('a', {onFailure: 'continue'}), step('c')], {always: [step('z', {onFailure: 'continue'})]}), {
      apply: async ({name}, set) => {
        if (name === 'a' || name === 'z') throw new Error(`${name} broke`);
        set();
        return undefined;
      },
    });
    expect(await b.run()).toEqual({
      runId: 'r1',
      outcome: 'succeeded',
      code: 'incomplete',
      reason: 'done, but a: a broke; and afterwards z: z broke',
      exit: 1,
    });
  });

  it('what stays down is told in the end, and makes it a warning', async () => {
    const down = ['people stays down: citizens may not be in ap (SG)'];
    const b = bench(planOf([step('a')], {staysDown: down, remarks: ['goods goes to ap']}));
    const reason = 'done, but people stays down: citizens may not be in ap (SG)';
    expect(await b.run()).toEqual({runId: 'r1', outcome: 'succeeded', code: 'incomplete', reason, exit: 1});
  });

  it('continue: whatever the code of its failure, which may be one of our own words', async () => {
    for (const code of ['aborted', 'undone', 'ok', 'cancelled']) {
      const b = bench(planOf([step('p', {pivot: true}), step('a', {onFailure: 'continue'}), step('c')]), {
        apply: async ({name}, set) => {
          if (name === 'a') throw unavailable(code, 'it was not waited for');
          set();
          return undefined;
        },
      });
      expect(await b.run()).toMatchObject({outcome: 'succeeded', code: 'incomplete', reason: 'done, but a: it was not waited for'});
      expect(b.world.log).toEqual(['p=on', 'c=on']);
    }
  });

  it('continue: what comes after it is not run, and then the run has failed', async () => {
    const b = bench(planOf([step('a', {onFailure: 'continue'}), step('b', {after: ['a']}), step('c')]), failAt('a'));
    const result = await b.run();
    expect(result).toMatchObject({outcome: 'failed', code: 'step-failed'});
    expect(result.reason).toContain('a: a broke; b: not run: a did not succeed');
    expect(b.world.log).toEqual(['c=on']);
  });

  it('after the pivot nothing is undone', async () => {
    const b = bench(planOf([step('a'), step('b', {pivot: true}), step('c')]), failAt('c'));
    expect(await b.run()).toMatchObject({outcome: 'failed', code: 'step-failed'});
    expect(b.world.log).toEqual(['a=on', 'b=on']);
  });

  it('a pivot that failed may have happened: nothing is undone either', async () => {
    const b = bench(planOf([step('a'), step('b', {pivot: true})]), failAt('b'));
    expect(await b.run()).toMatchObject({outcome: 'failed'});
    expect(b.world.log).toEqual(['a=on']);
  });

  it('an undo that fails is added to the first failure, and the rest is still undone', async () => {
    const b = bench(planOf(abc()), {
      apply: async ({name, to}, set) => {
        if (name === 'c' && to === 'on') throw new Error('c broke');
        if (name === 'b' && to === 'off') throw new Error('b sticks');
        set();
        return undefined;
      },
    });
    const result = await b.run();
    expect(result).toMatchObject({outcome: 'failed', code: 'step-failed'});
    expect(result.reason).toBe('c: c broke; b was not undone: b sticks. Go on with `regionctl runs resume r1`');
    expect(b.world.log).toEqual(['a=on', 'b=on', 'a=off']);
  });

  it.each(['elsewhere', 'unknown'] as const)('an undo after which the target stands %s has failed', async (standing) => {
    let undone = false;
    const b = bench(planOf([step('a')]), {
      apply: async ({to}, set) => {
        set();
        if (to === 'on') throw new Error('a broke');
        undone = true;
        return undefined;
      },
      look: (_, seen) => (undone ? standing : seen),
    });
    expect((await b.run()).reason).toContain('a: a broke; a was not undone: ');
  });

  it('an effect that does not end is left at its deadline', async () => {
    const b = bench(planOf([step('a', {onFailure: 'stop', deadlineMs: 300})]), {apply: () => new Promise<Json>(() => {})});
    expect(await b.run()).toMatchObject({
      outcome: 'failed',
      code: 'deadline',
      reason: expect.stringContaining('a: not done within 300 ms'),
    });
    expect(b.clock.now()).toBe(800);
  });

  it('always steps run after success, failure and undo; their failure is added and hides nothing', async () => {
    const always = [step('heal'), step('release')];
    const good = bench(planOf(abc(), {always}));
    await good.run();
    expect(good.world.log).toEqual(['a=on', 'b=on', 'c=on', 'heal=on', 'release=on']);
    const bad = bench(planOf(abc({onFailure: 'stop'}), {always}), {
      apply: async ({name}, set) => {
        if (name === 'b' || name === 'heal') throw new Error(`${name} broke`);
        set();
        return undefined;
      },
    });
    expect(await bad.run()).toMatchObject({
      outcome: 'failed',
      code: 'step-failed',
      reason: 'b: b broke. Go on with `regionctl runs resume r1`; and afterwards heal: heal broke',
    });
    expect(bad.world.log).toEqual(['a=on', 'release=on']);
    const left = bench(planOf(abc(), {always}), failAt('heal'));
    expect(await left.run()).toMatchObject({outcome: 'failed', code: 'always-failed', exit: 2});
  });

  it('a journal that cannot be written before an effect keeps the effect from happening', async () => {
    const b = bench(planOf(abc()));
    const full = Object.assign(new Error('disk full'), {code: 'state-full', exit: 73});
    const state: RunSetup['state'] = {
      ...b.setup.state,
      append: (runId, event) => {
        if (event.type === 'intent' && event.step === 'b') throw full;
        return b.setup.state.append(runId, event);
      },
    };
    await expect(runPlan({...b.setup, state, plan: planOf(abc())})).rejects.toBe(full);
    expect(b.world.log).toEqual(['a=on']);
  });

  it('abortIf stops before the pivot and takes back', async () => {
    const steps = [step('a'), step('b', {after: ['a']}), step('c', {after: ['b'], pivot: true})];
    const b = bench(planOf(steps, {abortIf: [fact('b', 'on')]}));
    expect(await b.run()).toMatchObject({outcome: 'undone', code: 'aborted', reason: 'aborted: b is on; undone: b, a'});
  });
});
