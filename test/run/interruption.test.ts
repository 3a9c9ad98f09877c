import {describe, expect, it} from 'vitest';
import type {Json} from '../../src/lib/plan/json.ts';
import {resumeRun} from '../../src/lib/run/resume.ts';
import {runPlan} from '../../src/lib/run/runner.ts';
import {abc, bench} from './bench.ts';
import {fact, planOf, step, type Tweaks} from './world.ts';

describe('interruption', () => {
  const abortAt = (id: string, controller: () => AbortController): Tweaks => ({
    apply: async ({name, to}, set) => {
      set();
      if (name === id && to === 'on') controller().abort();
      return undefined;
    },
  });

  it('before the pivot: back, in reverse, nothing else, then the always steps', async () => {
    const b = bench(
      planOf(abc(), {always: [step('z')]}),
      abortAt('b', () => b.abort),
    );
    expect(await b.run()).toMatchObject({outcome: 'undone', code: 'interrupted', exit: 130, reason: 'interrupted; undone: b, a'});
    expect(b.world.log).toEqual(['a=on', 'b=on', 'b=off', 'a=off', 'z=on']);
  });

  it('in the middle of an effect: it is told, waited for, and undone', async () => {
    const b = bench(planOf(abc()), {
      apply: async ({name, to}, set, signal) => {
        if (name === 'b' && to === 'on') {
          b.abort.abort();
          set();
          signal.throwIfAborted();
        }
        set();
        return undefined;
      },
    });
    expect((await b.run()).outcome).toBe('undone');
    expect(b.world.log).toEqual(['a=on', 'b=on', 'b=off', 'a=off']);
  });

  it('a check that it cuts off, and that takes this for a no, does not make a failure of it', async () => {
    const hold = {forMs: 60_000, everyMs: 100, minSamples: 1, watch: [fact('sun', 'up')]};
    const b = bench(planOf([step('a'), step('b', {hold}), step('c')]), {
      answer: (name, value, want) => {
        if (name !== 'sun') return value === want;
        b.abort.abort();
        return false;
      },
    });
    expect(await b.run()).toMatchObject({outcome: 'undone', code: 'interrupted', exit: 130});
    expect(b.world.log).toEqual(['a=on', 'b=on', 'b=off', 'a=off']);
  });

  it('an effect that goes on for a while is waited for: its undo never overtakes it', async () => {
    const b = bench(planOf(abc()), {
      apply: async ({name, to}, set) => {
        if (name === 'b' && to === 'on') {
          await b.clock.sleep(10);
          b.abort.abort();
          await b.clock.sleep(300);
        }
        set();
        return undefined;
      },
    });
    expect((await b.run()).outcome).toBe('undone');
    expect(b.world.log).toEqual(['a=on', 'b=on', 'b=off', 'a=off']);
  });

  it('before anything was begun: interrupted, nothing undone', async () => {
    const b = bench(planOf(abc()));
    b.abort.abort();
    expect(await b.run()).toMatchObject({outcome: 'interrupted', exit: 130});
    expect(b.world.log).toEqual([]);
    expect((await b.resume()).outcome).toBe('succeeded');
  });

  // As a killed process leaves it: steps were done, and the claim that they are taken back under went with it.
  const HELD = planOf(
    [
      step('claim', {onFailure: 'stop'}),
      step('seal', {after: ['claim'], requires: [fact('claim', 'on')]}),
      step('promote', {after: ['seal'], pivot: true}),
    ],
    {
      standsOn: [{...fact('primary', 'off'), target: {store: 'orders', member: 'primary'}}],
      always: [
        step('release', {
          do: {action: 'set', v: 1, target: {store: 'orders', member: 'claim'}, args: {name: 'claim', to: 'off'}},
          ensures: [fact('claim', 'off')],
          undo: null,
        }),
      ],
    },
  );
  const killedThenInterrupted = async (moved: boolean) => {
    const crash = bench(HELD);
    const {state} = crash.setup;
    for (const event of [
      {type: 'run-started', step: null, data: {v: 2, by: 'test', token: 't'}},
      ...['claim', 'seal'].flatMap((id) => [
        {type: 'step-started', step: id, data: {attempt: 1}},
        {type: 'intent', step: id, data: {action: 'set', v: 1, says: `set ${id} to on`}},
        {type: 'result', step: id, data: {result: {set: id}, says: `${id} is on`}},
      ]),
    ])
      state.append('r1', event);
    crash.world.values.set('seal', 'on');
    if (moved) crash.world.values.set('primary', 'on');
    const told = new AbortController();
    told.abort();
    const {stopSignal: _, ...rest} = crash.setup;
    return {result: await resumeRun({...rest, signal: told.signal}), world: crash.world};
  };

  it('of a run that was killed and is resumed: back, under a claim of its own, and nobody else is blamed', async () => {
    const {result, world} = await killedThenInterrupted(false);
    expect(result).toMatchObject({outcome: 'undone', code: 'interrupted', reason: expect.stringContaining('interrupted; undone: seal')});
    expect(world.values.get('seal')).toBe('off');
    expect(world.log.indexOf('claim=on')).toBeLessThan(world.log.indexOf('seal=off'));
    expect(world.values.get('claim')).toBe('off');
  });

  it('takes back nothing that another hand has moved meanwhile', async () => {
    const {result, world} = await killedThenInterrupted(true);
    expect(result).toMatchObject({outcome: 'failed', reason: expect.stringContaining('another hand has moved it since: primary is on')});
    expect(world.values.get('seal')).toBe('on');
  });

  it('after the pivot: forward to the end of the plan, and it says so', async () => {
    const steps = [step('a'), step('b', {pivot: true}), step('c'), step('d')];
    const b = bench(
      planOf(steps),
      abortAt('b', () => b.abort),
    );
    expect(await b.run()).toMatchObject({outcome: 'succeeded', exit: 0});
    expect(b.world.log).toEqual(['a=on', 'b=on', 'c=on', 'd=on']);
    expect(b.types().filter((type) => type === 'interrupted')).toHaveLength(1);
  });

  it('the second one leaves at once, without undo and always steps, saying how to resume', async () => {
    const b = bench(planOf(abc(), {always: [step('z')]}), {
      apply: async ({name}, set) => {
        if (name !== 'b') return set() as undefined;
        b.abort.abort();
        b.stop.abort();
        return new Promise<Json>(() => {});
      },
    });
    const result = await b.run();
    expect(result).toMatchObject({outcome: 'interrupted', code: 'left', exit: 130});
    expect(result.reason).toContain('regionctl runs resume r1');
    expect(b.world.log).toEqual(['a=on']);
    expect(b.types().at(-1)).toBe('run-ended');
  });

  it('the second one during the undo leaves it where it is', async () => {
    const b = bench(planOf(abc()), {
      apply: async ({name, to}, set) => {
        set();
        if (name === 'b') b.abort.abort();
        if (name === 'b' && to === 'off') b.stop.abort();
        return undefined;
      },
    });
    expect(await b.run()).toMatchObject({outcome: 'interrupted', code: 'left'});
    expect(b.world.log).toEqual(['a=on', 'b=on', 'b=off']);
  });
});

describe('what cannot be run', () => {
  it('a plan with anything wrong in it is refused as a whole', async () => {
    const b = bench(planOf([step('a', {after: ['b']}), step('b'), step('b', {ensures: []})]));
    await expect(b.run()).rejects.toMatchObject({code: 'usage', exit: 64, message: expect.stringContaining('"b" is used twice')});
    expect(b.types()).toEqual([]);
  });

  it('a run that was begun, and the resume of one that succeeded or was undone', async () => {
    const b = bench(planOf(abc()));
    await b.run();
    await expect(b.run()).rejects.toThrow('was begun already');
    await expect(b.resume()).rejects.toMatchObject({exit: 77, message: 'Run r1 has succeeded already: nothing was done.'});
    await expect(resumeRun({...b.setup, runId: 'none'})).rejects.toThrow('There is no run none.');
  });

  it('a view that throws does not stop a run', async () => {
    const b = bench(planOf(abc()));
    const onEvent = () => {
      throw new Error('bug in a view');
    };
    expect((await runPlan({...b.setup, plan: planOf(abc()), onEvent})).outcome).toBe('succeeded');
  });
});
