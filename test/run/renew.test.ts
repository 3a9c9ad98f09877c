import {describe, expect, it} from 'vitest';
import {bench} from './bench.ts';
import {fact, planOf, step} from './world.ts';

const claim = step('claim');
const held = [fact('claim', 'on')];
const plan = planOf(
  [
    claim,
    step('drain', {after: ['claim'], requires: held}),
    step('promote', {after: ['drain'], requires: held, pivot: true, undo: null}),
    step('reroute', {after: ['promote'], requires: held, undo: null, onFailure: 'stop'}),
  ],
  {
    standsOn: [fact('moved', 'off')],
    always: [
      step('release', {do: {action: 'set', v: 1, target: claim.do.target, args: {name: 'claim', to: 'off'}}, ensures: [], undo: null}),
    ],
  },
);

/** A run that loses its claim as soon as a step is done; `moved`: and somebody else has been there since. */
function losing(at: string, {moved = false} = {}) {
  const made = bench(plan, {
    apply: async ({name}, set) => {
      set();
      if (name !== at || made.world.log.includes('claim=off')) return undefined;
      made.world.set('claim', 'off');
      if (moved) made.world.set('moved', 'on');
      return undefined;
    },
  });
  return made;
}

describe('a claim that lapses by itself', () => {
  it('is taken again after the pivot, so that traffic does not stay held', async () => {
    const {run, world} = losing('promote');
    expect(await run()).toMatchObject({outcome: 'succeeded'});
    expect(world.log).toEqual(['claim=on', 'drain=on', 'promote=on', 'claim=off', 'claim=on', 'reroute=on', 'claim=off']);
  });

  it('is taken again to take back what was begun', async () => {
    const {run, world} = losing('drain');
    expect(await run()).toMatchObject({outcome: 'undone'});
    expect(world.log).toEqual(['claim=on', 'drain=on', 'claim=off', 'claim=on', 'drain=off', 'claim=off']);
  });

  it('is not taken again once another hand has moved what the plan stands on: nothing is taken back under it', async () => {
    const {run, world} = losing('drain', {moved: true});
    expect(await run()).toMatchObject({outcome: 'failed', reason: expect.stringContaining('drain was not undone: claim is off')});
    expect(world.values.get('drain')).toBe('on');
    expect(world.log.filter((each) => each === 'claim=on')).toHaveLength(1);
  });
});
