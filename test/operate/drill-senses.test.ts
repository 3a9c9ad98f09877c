import {describe, expect, it} from 'vitest';
import {sensesOf} from '../../src/lib/operate/drill-senses.ts';
import type {Store} from '../../src/lib/ports/store.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';

const members = [
  {name: 'a', region: 'us-east'},
  {name: 'b', region: 'eu-west'},
];
const telling = (offsets: () => Promise<Record<string, number | null>>): Partial<Store> => ({abilities: {clock: {offsets}}});
const looks = (stores: Record<string, Partial<Store>>, signal = new AbortController().signal) => {
  const specs = Object.keys(stores).map((name) => ({name, members}));
  return sensesOf({fleet: {regions: [], stores: specs}, stores} as unknown as OpenFleet).clocks(signal);
};

describe('the clocks that a drill looks at', () => {
  it('are those of every member of a store that tells the time', async () => {
    expect(await looks({orders: telling(async () => ({a: 3, b: -2500})), cache: {abilities: {}}})).toEqual([
      {store: 'orders', member: 'a', region: 'us-east', offsetMs: 3},
      {store: 'orders', member: 'b', region: 'eu-west', offsetMs: -2500},
    ]);
  });

  it('are not known of a member that is silent, nor of a store that cannot be asked', async () => {
    expect(
      await looks({orders: telling(async () => ({a: null})), other: telling(() => Promise.reject(new Error('the vault is locked')))}),
    ).toMatchObject([{offsetMs: null}, {offsetMs: null}, {offsetMs: null}, {offsetMs: null}]);
    const left = AbortSignal.abort(new Error('left'));
    await expect(looks({orders: telling(() => Promise.reject(new Error('aborted')))}, left)).rejects.toThrow('left');
  });
});
