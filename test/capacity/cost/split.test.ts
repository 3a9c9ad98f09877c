import {expect, it} from 'vitest';
import {parseSplits} from '../../../src/lib/capacity/cost/split.ts';

const ROUTES = [
  {name: 'web', weights: {us: 50, eu: 50}},
  {name: 'api', weights: {us: 100, eu: 0}},
];

it('reads weights by route; what is not named gets nothing', () => {
  expect(parseSplits(['web:us=60, eu=40', 'api:eu=1'], ROUTES)).toEqual({web: {us: 60, eu: 40}, api: {eu: 1}});
  expect(parseSplits([], ROUTES)).toEqual({});
});

it.each([
  ['us=60', /expected ROUTE:REGION=WEIGHT/],
  ['www:us=60', /there is no route "www"; the routes are web, api/],
  ['web:us', /"us" is no weight/],
  ['web:us=-1', /"us=-1" is no weight/],
  ['web:mars=1', /web does not lead to "mars"; it leads to us, eu/],
  ['web:us=0', /one of the weights must be above 0/],
  ['web:toString=1', /does not lead to "toString"/],
])('%s is refused', (text, message) => {
  expect(() => parseSplits([text], ROUTES)).toThrow(message);
});

it('refuses what is said twice, since one of the two would not count', () => {
  expect(() => parseSplits(['web:us=60,eu=40,us=10'], ROUTES)).toThrow('"us" has two weights');
  expect(() => parseSplits(['web:us=60', 'web:eu=40'], ROUTES)).toThrow('there are two splits of web');
});
