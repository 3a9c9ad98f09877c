import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {chooseRegion, parseWeights} from '../../src/lab/weights.ts';

const REGIONS = ['us-east', 'eu-west', 'ap'];
const weights = fc.record({'us-east': fc.nat(100), 'eu-west': fc.nat(100), ap: fc.nat(100)});

describe('chooseRegion', () => {
  it('never chooses a region with weight 0, and chooses one whenever there is one', () => {
    fc.assert(
      fc.property(weights, fc.double({min: 0, max: 1, maxExcluded: true, noNaN: true}), (given, dice) => {
        const chosen = chooseRegion(given, dice);
        const open = Object.values(given).some((weight) => weight > 0);
        return open ? chosen !== null && given[chosen as keyof typeof given] > 0 : chosen === null;
      }),
    );
  });

  it('shares by weight', () => {
    const given = {'us-east': 75, 'eu-west': 25, ap: 0};
    const chosen = Array.from({length: 1000}, (_, index) => chooseRegion(given, index / 1000));
    expect(chosen.filter((region) => region === 'us-east')).toHaveLength(750);
    expect(chosen.filter((region) => region === 'eu-west')).toHaveLength(250);
  });
});

describe('parseWeights', () => {
  it('gives regions that are not named 0', () => {
    expect(parseWeights({ap: 100}, REGIONS)).toEqual({'us-east': 0, 'eu-west': 0, ap: 100});
  });

  it.each([
    [{mars: 1}, 'unknown region "mars"'],
    [{ap: 101}, 'weight of ap must be 0-100, not 101'],
    [{ap: '5'}, 'weight of ap must be 0-100, not "5"'],
    [[1], 'weights must be an object'],
  ])('refuses %j', (value, message) => {
    expect(() => parseWeights(value, REGIONS)).toThrow(message);
  });
});
