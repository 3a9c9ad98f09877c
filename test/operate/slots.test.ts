import {describe, expect, it} from 'vitest';
import {readSlots} from '../../src/lib/operate/slots.ts';
import type {SlotReading} from '../../src/lib/ports/store.ts';
import {type Cell, known, unknown} from '../../src/lib/snapshot/cell.ts';
import {memoryStore, openStores} from './open-stores.ts';

const {signal} = new AbortController();
const members = ['us', 'eu'];
const slot = (at: number, more: Partial<SlotReading> = {}): SlotReading => ({
  name: 'eu',
  kind: 'physical',
  keptFor: 'eu',
  database: null,
  active: true,
  temporary: false,
  retainedBytes: 4096,
  safeBytes: null,
  status: 'reserved',
  invalidated: null,
  inactiveSeconds: null,
  end: '1000',
  at,
  ...more,
});

/** A fleet whose one store answers each look with what `answer` makes of the time and the number of the look. */
function fleetOf(answer: (look: number, at: number) => Readonly<Record<string, Cell<readonly SlotReading[]>>>) {
  const looks: number[] = [];
  const slots = async () => {
    looks.push(clock.now());
    return answer(looks.length, clock.wall());
  };
  const {clock, open} = openStores({orders: {members, store: memoryStore(members, {abilities: {slots: {slots}}})}});
  return {open, looks};
}

describe('reading slots', () => {
  it('one look is enough where no slot has a limit and all are used', async () => {
    const {open, looks} = fleetOf((_, at) => ({us: known([slot(at)], at, 'sql'), eu: known([], at, 'sql')}));
    const {document, exit} = await readSlots(open, {signal});
    expect([exit, looks]).toEqual([0, [0]]);
    expect(document).toMatchObject({
      verdict: 'healthy',
      only: null,
      stores: ['orders'],
      slots: [{member: 'us', slot: 'eu', state: 'ok', bytesPerSecond: null}],
    });
  });

  it('a second look a second later gives the rate and the runway', async () => {
    const {open, looks} = fleetOf((look, at) => ({
      us: known([slot(at, {active: false, safeBytes: 300_000, end: String(look * 1000)})], at, 'sql'),
      eu: known([], at, 'sql'),
    }));
    const {document, exit} = await readSlots(open, {signal});
    expect([exit, looks]).toEqual([2, [0, 1000]]);
    expect(document.slots).toMatchObject([{bytesPerSecond: 1000, runwaySeconds: 300, state: 'at-risk', ageMs: 0}]);
  });

  it('a member that does not answer is a row of its own; one that falls silent between two looks keeps its figures', async () => {
    const silent = (at: number) => unknown('timeout', 'it did not answer within 1500 ms.', at);
    const {open} = fleetOf((look, at) => ({
      us: look === 1 ? known([slot(at, {safeBytes: 300_000})], at, 'sql') : silent(at),
      eu: silent(at),
    }));
    const {document, exit} = await readSlots(open, {signal});
    expect(exit).toBe(3);
    expect(document.slots).toMatchObject([
      {member: 'us', slot: 'eu', safeBytes: 300_000, bytesPerSecond: null, runwaySeconds: null, ageMs: 1000},
      {member: 'eu', slot: null, state: 'unknown', code: 'timeout'},
    ]);
    expect(document.slots[0]?.reason).toContain('a second look could not be had');
  });

  it('a store that throws is unknown for all its members, and hides no other', async () => {
    const failing = memoryStore(members, {abilities: {slots: {slots: async () => Promise.reject(new Error('the vault is locked'))}}});
    const well = memoryStore(members, {
      abilities: {slots: {slots: async () => ({us: known([slot(0)], 0, 'sql'), eu: known([], 0, 'sql')})}},
    });
    const {open} = openStores({locked: {members, store: failing}, orders: {members, store: well}});
    const {document, exit} = await readSlots(open, {signal});
    expect(exit).toBe(3);
    expect(document.slots.map(({store, member, state}) => [store, member, state])).toEqual([
      ['locked', 'us', 'unknown'],
      ['locked', 'eu', 'unknown'],
      ['orders', 'us', 'ok'],
    ]);
  });

  it('stores without slots are nothing to worry about', async () => {
    const {open} = openStores({orders: {members, store: memoryStore(members)}});
    expect(await readSlots(open, {signal})).toMatchObject({exit: 0, document: {verdict: 'healthy', stores: [], slots: []}});
    expect(await readSlots(open, {signal, store: 'orders'})).toMatchObject({exit: 0, document: {only: 'orders'}});
  });
});
