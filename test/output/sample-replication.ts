import type {SlotReading} from '../../src/lib/ports/store.ts';
import {judgeSlots} from '../../src/lib/replication/slots.ts';
import {judgeTopology} from '../../src/lib/replication/topology.ts';
import {known, unknown} from '../../src/lib/snapshot/cell.ts';
import {AT, ISO, link, sample} from '../replication/topology-samples.ts';

/** A star with one standby that is late and in a place where its data may not be. */
export const topology = judgeTopology(ISO, [
  sample({
    roles: {'us-east': 'p', 'eu-west': 's', ap: 's'},
    links: [link('us-east', 'eu-west'), link('us-east', 'ap', {state: 'catching-up'})],
    places: {'us-east': {jurisdiction: 'US'}, ap: {jurisdiction: 'SG', site: 'ap-1a'}},
    more: {classes: [{name: 'user-content', allowed: ['US', 'EU']}]},
  }),
]);

/** What breakers hold off, and what one look did about it. */
export const drained = {
  drains: [
    {
      route: 'reads',
      region: 'ap',
      weight: 30,
      since: ISO,
      run: 'shift-20261121-100000-1f2e',
      reason: 'the breaker of orders us-east → ap is open',
    },
  ],
  drained: [
    {
      route: 'reads',
      region: 'ap',
      what: 'held' as const,
      weight: 30,
      at: ISO,
      run: 'shift-20261121-100000-1f2e',
      reason: 'the breaker of orders us-east → ap is open',
    },
    {
      route: 'front-door',
      region: null,
      what: 'failed' as const,
      weight: null,
      at: ISO,
      run: null,
      reason: 'the weights of front-door are not known',
    },
  ],
};

const GIB = 1024 ** 3;
const slot = (name: string, more: Partial<SlotReading> = {}): SlotReading => ({
  name,
  kind: 'physical',
  keptFor: name.replace('_', '-'),
  database: null,
  active: true,
  temporary: false,
  retainedBytes: 65_536,
  safeBytes: 100 * GIB,
  status: 'reserved',
  invalidated: null,
  inactiveSeconds: null,
  end: '5000000000',
  at: AT - 1012,
  ...more,
});
const first = [
  slot('eu_west'),
  slot('ap', {active: false, inactiveSeconds: 7200, retainedBytes: 98 * GIB, safeBytes: 2 * GIB, status: 'extended'}),
  slot('reports_2024', {kind: 'logical', keptFor: null, database: 'orders', active: false, safeBytes: null}),
  slot('feed', {kind: 'logical', keptFor: null, copyOf: 'eu-west', active: false, retainedBytes: 65_536, safeBytes: null}),
  slot('old', {active: false, retainedBytes: null, safeBytes: null, status: 'lost', invalidated: 'wal_removed'}),
];
const later = first.map((each) => ({...each, at: AT - 12, end: '5001048576'}));

/** Slots in every state, and a member that could not be asked. */
export const slots = judgeSlots(ISO, [
  {
    store: 'orders',
    members: ['us-east', 'eu-west'],
    at: AT,
    first: {'us-east': known(first, AT, 'sql'), 'eu-west': unknown('timeout', 'eu-west did not answer within 1500 ms.', AT)},
    second: {'us-east': known(later, AT, 'sql'), 'eu-west': unknown('timeout', 'eu-west did not answer within 1500 ms.', AT)},
  },
]);
