import {expect, it} from 'vitest';
import {streamName} from '../../src/lab/active-active-mesh.ts';
import {modeOf} from '../../src/lab/mode-flag.ts';

it.each([
  [undefined, false, 'quorum'],
  [undefined, true, 'async'],
  ['async', true, 'async'],
  ['active-active', false, 'active-active'],
] as const)('--mode %s with --async %s is %s', (mode, asynchronous, wanted) => {
  expect(modeOf(mode, asynchronous)).toBe(wanted);
});

it.each(['quorum', 'active-active'] as const)('--mode %s and --async contradict each other', (mode) => {
  expect(() => modeOf(mode, true)).toThrow(expect.objectContaining({exit: 64, message: expect.stringContaining(mode)}));
});

it('names a stream by both of its ends', () => {
  expect(streamName('us-east', 'ap')).toBe('us_east_to_ap');
});
