import {expect, it} from 'vitest';
import {lossSaid} from '../../src/lib/output/region-cells.ts';

it('alarms by a loss that misses its objective, not by an estimate of nothing, which never meets an objective of 0', () => {
  const row = {bytes: 0, certainty: 'estimate', withinRpo: false} as const;
  expect(lossSaid([row])).toEqual({text: '~0 B', meaning: 'plain'});
  expect(lossSaid([row, {...row, bytes: 9300}])).toEqual({text: '~9.1 KiB', meaning: 'critical'});
  expect(lossSaid([{...row, bytes: null, certainty: 'bound'}])).toMatchObject({meaning: 'critical'});
  expect(lossSaid([{...row, bytes: 9300, withinRpo: true}])).toMatchObject({meaning: 'plain'});
});
