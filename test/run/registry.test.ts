import {describe, expect, it} from 'vitest';
import {z} from 'zod';
import type {Action, Check} from '../../src/lib/plan/action.ts';
import {checkPlan} from '../../src/lib/plan/check-plan.ts';
import type {Json} from '../../src/lib/plan/json.ts';
import {ActionRegistry, CheckRegistry} from '../../src/lib/run/registry.ts';
import {fact, memoryWorld, planOf, simulated, step} from './world.ts';

const action = (name: string, v: number): Action => ({
  name,
  v,
  effect: 'none',
  parse: (args) => args,
  describe: () => name,
  look: async () => 'before',
  apply: async () => null,
});
const check = (name: string): Check => ({name, ask: async () => ({holds: true, measured: null, says: ''})});

describe('registries', () => {
  it('keep the versions of an action apart', () => {
    const actions = new ActionRegistry([action('a', 1), action('a', 2)]);
    expect(actions.get('a', 2).v).toBe(2);
    expect(actions.names()).toEqual(['a v1', 'a v2']);
  });

  it('refuse a name twice', () => {
    expect(() => new ActionRegistry([action('a', 1), action('a', 1)])).toThrow('The action a v1 is registered twice.');
    expect(() => new CheckRegistry([check('c'), check('c')])).toThrow('The check c is registered twice.');
  });

  it('say in one sentence which argument is wrong, whatever a schema throws', () => {
    const weights = {
      ...action('route.weights', 1),
      parse: (args: Json) => z.object({weights: z.record(z.string(), z.number().max(100))}).parse(args) as Json,
    };
    const bind = () => new ActionRegistry([weights]).bind({action: 'route.weights', v: 1, target: {}, args: {weights: {ap: 120}}});
    expect(bind).toThrow('the arguments of route.weights are wrong: weights.ap: Too big: expected number to be <=100');
  });

  it('name the known ones when a name is not known', () => {
    expect(() => new ActionRegistry([action('b', 1), action('a', 1)]).get('a', 2)).toThrow('There is no action a v2. Known: a v1, b v1.');
    expect(() => new CheckRegistry([]).get('c')).toThrow('There is no check c. Known: none.');
  });
});

describe('checkPlan', () => {
  const {actions, checks} = simulated(memoryWorld());
  const problems = (...args: Parameters<typeof planOf>) => checkPlan(planOf(...args), actions, checks);

  it('has nothing to say of a good plan', () => {
    const hold = {forMs: 0, everyMs: 10, minSamples: 1, watch: [fact('a', 'on')]};
    expect(problems([step('a', {pivot: true}), step('b', {after: ['a'], hold})], {always: [step('z'), step('y', {after: ['z']})]})).toEqual(
      [],
    );
  });

  it.each<[string, Parameters<typeof planOf>, string]>([
    ['an id twice', [[step('a')], {always: [step('a')]}], 'Step id "a" is used twice.'],
    ['after an unknown step', [[step('a', {after: ['x']})]], 'Step "a" comes after "x", which is no step of the plan.'],
    ['after a later step', [[step('a', {after: ['b']}), step('b')]], 'Step "a" comes after "b", which does not stand before it.'],
    ['after itself', [[step('a', {after: ['a']})]], 'Step "a" comes after "a", which does not stand before it.'],
    ['until no step of the plan', [[step('a', {until: 'x'})]], 'Step "a" is to last until "x", which is no later step of the plan.'],
    ['until an earlier step', [[step('b'), step('a', {until: 'b'})]], 'Step "a" is to last until "b", which is no later step of the plan.'],
    ['an unknown action', [[step('a', {do: {action: 'fly', v: 1, target: {}, args: {}}})]], 'Step "a": There is no action fly v1.'],
    ['an unknown version', [[step('a', {do: {action: 'set', v: 9, target: {}, args: {}}})]], 'Step "a": There is no action set v9.'],
    [
      'arguments that do not parse',
      [[step('a', {do: {action: 'set', v: 1, target: {}, args: {}}})]],
      'Step "a": args.name and args.to must be text',
    ],
    ['an undo that does not parse', [[step('a', {undo: {action: 'set', v: 1, target: {}, args: 1}})]], 'Step "a": args.name'],
    ['two pivots of a store', [[step('a', {pivot: true}), step('b', {pivot: true})]], 'Store "orders" has two pivots: "a" and "b".'],
    ['a pivot that always runs', [[], {always: [step('a', {pivot: true})]}], 'Step "a" always runs, so it cannot be a pivot.'],
    ['an effect that nobody verifies', [[step('a', {ensures: []})]], 'Step "a" has an effect (reversible) but nothing that verifies it.'],
    ['no deadline', [[step('a', {deadlineMs: 0})]], 'Step "a" has a deadline of 0 ms'],
    ['an approval by nobody', [[step('a', {approval: {approvers: 0, expiresMs: 1000}})]], 'Step "a" asks for 0 approvals'],
    ['an unknown check', [[step('a', {requires: [{...fact('a', 'on'), check: 'feels'}]})]], 'Step "a": There is no check feels.'],
    [
      'an unknown check that it expects',
      [[], {expects: [{...fact('a', 'on'), check: 'feels'}]}],
      'The plan expects: There is no check feels.',
    ],
  ])('%s', (_, args, says) => {
    expect(problems(...args)).toContainEqual(expect.stringContaining(says));
  });

  it('does not guess at a plan of another version', () => {
    expect(problems([], {version: 2 as 1})).toEqual(['The plan has version 2; this regionctl runs version 1.']);
  });
});
