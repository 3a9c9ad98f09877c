import {describe, expect, it} from 'vitest';
import type {Cluster, Node} from '../../../src/lib/providers/postgres/cluster.ts';
import {pairsOf, unaccounted} from '../../../src/lib/providers/postgres/logical-pairs.ts';
import type {Reading, Readings, Slot, Subscription} from '../../../src/lib/providers/postgres/reading.ts';
import type {More} from '../../../src/lib/providers/postgres/reading-more.ts';
import {known, unknown} from '../../../src/lib/snapshot/cell.ts';

const PORTS: Readonly<Record<string, number>> = {us: 1, eu: 2, ap: 3};
const nodes = new Map(
  Object.entries(PORTS).map(([name, port]) => [
    name,
    {name, address: {host: 'db', port}, upstreams: {}, place: {database: 'orders'}} as unknown as Node,
  ]),
);
const cluster = {store: 'orders', nodes} as unknown as Cluster;
const nothing: More = {forks: new Map(), publishers: new Map()};

const slot = (name: string, more: Partial<Slot> = {}): Slot =>
  ({name, kind: 'logical', database: 'orders', active: true, pid: 7, temporary: false, synced: false, ...more}) as Slot;
const subscription = (name: string, more: Partial<Subscription> = {}): Subscription =>
  ({id: '9', name, slot: name, publications: ['p'], enabled: true, ...more}) as Subscription;
const reading = (more: Partial<Reading>): Reading =>
  ({slots: [], senders: [], subscriptions: [], publications: [], ...more}) as unknown as Reading;
const readings = (members: Readonly<Record<string, Partial<Reading> | null>>): Readings =>
  Object.fromEntries(
    Object.entries(members).map(([name, each]) => [
      name,
      each === null ? unknown('timeout', `${name} did not answer in time.`, 0) : known(reading(each), 0, 'sql'),
    ]),
  );
const find = (members: Parameters<typeof readings>[0], {more = nothing, publishers = new Map<string, string>()} = {}) =>
  pairsOf({cluster, readings: readings(members), more, publishers}).map(({subscriber, publisher, subscription: {name}, why}) => ({
    ...{subscriber, name, publisher, why},
  }));

describe('who publishes to a subscription', () => {
  const eu = {subscriptions: [subscription('s')]};

  it('is who has its slot', () => {
    expect(find({us: {slots: [slot('s')]}, eu, ap: {slots: [slot('other')]}})).toEqual([
      {subscriber: 'eu', name: 's', publisher: 'us', why: null},
    ]);
  });

  it('is not who only keeps a copy of the slot', () => {
    expect(find({us: {slots: [slot('s', {synced: true})]}, eu, ap: {slots: [slot('s')]}})).toMatchObject([{publisher: 'ap'}]);
  });

  it('is nobody of this store when none of them has it or publishes what it takes', () => {
    expect(find({us: {}, eu, ap: {slots: [slot('s', {kind: 'physical'})]}})).toEqual([]);
  });

  it('is where it says that it leads, if the role may read that, whoever has such a slot', () => {
    const leads = (port: number): {more: More} => ({
      more: {forks: new Map(), publishers: new Map([['eu', new Map([['9', {host: 'db', port}]])]])},
    });
    expect(find({us: {slots: [slot('s')]}, eu, ap: {}}, leads(3))).toMatchObject([{publisher: 'ap'}]);
    expect(find({us: {slots: [slot('s')]}, eu, ap: {}}, leads(4))).toEqual([]);
  });

  it('is told from another one with a slot of that name by what is published, or not at all', () => {
    const us = {slots: [slot('s')], publications: ['p', 'q']};
    expect(find({us, eu, ap: {slots: [slot('s')], publications: ['q']}})).toMatchObject([{publisher: 'us'}]);
    expect(find({us, eu, ap: {slots: [slot('s')], publications: ['p']}})).toMatchObject([
      {publisher: null, why: 'us and ap each have a slot s'},
    ]);
  });

  it('is the only one that did not answer, and nobody in particular when several did not', () => {
    expect(find({us: null, eu, ap: {publications: ['p']}})).toMatchObject([
      {publisher: 'us', why: 'us is the only member that did not answer'},
    ]);
    expect(find({us: null, eu, ap: null})).toMatchObject([{publisher: null, why: 'us and ap did not answer'}]);
  });

  it('is who it was seen to be before', () => {
    const publishers = new Map<string, string>();
    expect(find({us: {slots: [slot('s')]}, eu, ap: {}}, {publishers})).toMatchObject([{publisher: 'us'}]);
    expect(find({us: null, eu, ap: null}, {publishers})).toMatchObject([{publisher: 'us', why: null}]);
    expect(find({us: {}, eu, ap: {}}, {publishers})).toMatchObject([{publisher: 'us'}]);
  });

  it('is who publishes what it takes, when its slot is gone everywhere', () => {
    expect(find({us: {publications: ['p']}, eu, ap: {publications: ['q']}})).toMatchObject([{publisher: 'us'}]);
  });

  it('leaves slots that belong to nobody who was read', () => {
    const seen = readings({
      us: {slots: [slot('s'), slot('t'), slot('u', {temporary: true}), slot('v', {database: 'else'}), slot('w', {kind: 'physical'})]},
      eu,
      ap: null,
    });
    const pairs = pairsOf({cluster, readings: seen, more: nothing, publishers: new Map()});
    expect(unaccounted(cluster, seen, pairs).map(({member, slot: {name}}) => [member, name])).toEqual([['us', 't']]);
  });
});
