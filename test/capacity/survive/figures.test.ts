import {expect, it} from 'vitest';
import {figure} from '../../../src/lib/capacity/survive/figures.ts';

it.each<[number, string]>([
  [0, '0'],
  [1234.5, '1,235'],
  [12.34, '12.3'],
  [0.01234, '0.0123'],
  [-57.04, '-57'],
  [123_456_789_012_345, '123,456,789,012,345'],
  [1e99, '1e+99'],
  [-1.2345e21, '-1.23e+21'],
  [1e-9, '1e-9'],
  [1.2345e-99, '1.23e-99'],
])('%s is %s', (value, text) => {
  expect(figure(value)).toBe(text);
});
