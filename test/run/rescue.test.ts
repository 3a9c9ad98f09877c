import {describe, expect, it} from 'vitest';
import type {RunSetup} from '../../src/lib/run/context.ts';
import {runPlan} from '../../src/lib/run/runner.ts';
import {bench} from './bench.ts';
import {planOf, step, type Tweaks} from './world.ts';

const leased = {leaseMs: 60_000};
const plan = planOf([
  step('a'),
  step('fault', {after: ['a'], ...leased}),
  step('b', {after: ['fault']}),
  step('c', {after: ['b'], pivot: true}),
]);
const FULL = {code: 'state-full', exit: 73, suggestions: ['Free some space']};

/** A run whose journal cannot be written from the first line on that `when` names. */
async function fullFrom(when: string, tweaks: Tweaks = {}, more: Partial<RunSetup> = {}) {
  const b = bench(plan, tweaks);
  let full = false;
  const state: RunSetup['state'] = {
    ...b.setup.state,
    append: (runId, event) => {
      full ||= `${event.type} ${event.step}` === when;
      if (full) throw Object.assign(new Error('The disk is full.'), FULL);
      return b.setup.state.append(runId, event);
    },
  };
  const error = await runPlan({...b.setup, ...more, state, plan}).then(
    () => null,
    (thrown: Error) => thrown,
  );
  return {world: b.world, error};
}

describe('a journal that cannot be written any more', () => {
  it.each(['result fault', 'step-started b', 'intent b', 'result b', 'intent c', 'result c'])(
    'takes what is leased back, and nothing else: from "%s" on',
    async (when) => {
      const {world, error} = await fullFrom(when);
      expect(world.get('fault')).toBe('off');
      expect(world.log.filter((line) => line.endsWith('=off'))).toEqual(['fault=off']);
      expect(error).toMatchObject({
        ...{code: 'state-full', exit: 73, suggestions: ['Free some space']},
        message: expect.stringMatching(/^The disk is full\. What it had broken was healed all the same: /u),
      });
    },
  );

  it.each(['run-started null', 'step-started a', 'intent fault'])(
    'touches nothing when nothing was injected: from "%s" on',
    async (when) => {
      const {world, error} = await fullFrom(when);
      expect(world.log.filter((line) => line.startsWith('fault') || line.endsWith('off'))).toEqual([]);
      expect(error?.message).toBe('The disk is full.');
    },
  );

  it('says what could not be healed, and what heals it', async () => {
    const tweaks: Tweaks = {
      apply: async ({name, to}, set) => {
        if (name === 'fault' && to === 'off') throw new Error('the injector does not answer');
        set();
        return undefined;
      },
    };
    const {error} = await fullFrom('intent b', tweaks);
    expect(error).toMatchObject({
      ...{code: 'state-full', exit: 73},
      message: 'The disk is full. What it had broken could not be healed: the injector does not answer.',
      suggestions: ['Free some space', expect.stringContaining('regionctl drill clean')],
    });
  });

  it('does not heal what was taken back already', async () => {
    const {world} = await fullFrom('undo-result a', {
      apply: async ({name, to}, set) => {
        if (name === 'b' && to === 'on') throw new Error('b broke');
        set();
        return undefined;
      },
    });
    expect(world.log.filter((line) => line === 'fault=off')).toHaveLength(1);
  });
});

it('a lease that was lost in mid-run takes back what is leased', async () => {
  const b = bench(plan, {
    apply: async ({name, to}, set) => {
      set();
      if (name === 'b' && to === 'on') b.lease.lose();
      return undefined;
    },
  });
  await expect(b.run()).rejects.toMatchObject({code: 'lease-lost', exit: 75, message: expect.stringContaining('healed all the same')});
  expect(b.world.get('fault')).toBe('off');
});
