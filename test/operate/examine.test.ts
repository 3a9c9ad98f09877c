import {beforeEach, describe, expect, it} from 'vitest';
import type {Fleet} from '../../src/lib/fleet/fleet.ts';
import {examine} from '../../src/lib/operate/examine.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {systemClock} from '../../src/lib/run/system-clock.ts';
import {known} from '../../src/lib/snapshot/cell.ts';
import {FakeStore, standby} from '../failover/fake-store.ts';
import {sampleFleet} from '../failover/three-regions.ts';

let store: FakeStore;
beforeEach(() => {
  store = new FakeStore();
  store.members = {
    'us-east': standby('us-east', 100, {role: 'primary', writable: true, upstream: null}),
    'eu-west': standby('eu-west', 100),
    ap: standby('ap', 100),
  };
});

/** `doctor` on the sample fleet, whose service wants to be back within `rtoMs`. */
async function doctor(rtoMs: number) {
  const sample = sampleFleet();
  const fleet: Fleet = {...sample, services: sample.services.map((service) => ({...service, rtoMs}))};
  const ack = known({kind: 'quorum' as const, need: 1, of: ['eu-west', 'ap'], lowerable: true}, 0, 'fake');
  const open = {
    fleet: {...fleet, secrets: {...fleet.secrets}},
    clock: systemClock(),
    probes: [],
    uplinks: [],
    stores: {orders: {...store.port, ackRule: async () => ack}},
    routers: {'front-door': {read: async () => ({'us-east': 100}), write: async () => {}}},
    stateDir: '/state',
    state: async () => ({remember: () => {}}),
  } as unknown as OpenFleet;
  const {document, exit} = await examine(open, new AbortController().signal);
  return {exit, worst: document.checks.filter(({check}) => check.startsWith('worst case'))};
}

describe('doctor and the worst case', () => {
  beforeEach(() => {
    const stall = {
      stage: 'cut-over' as const,
      what: 'a promotion that stalls',
      ms: 5000,
      why: 'the retry interval is 5 s',
      fix: 'set it to 100ms',
    };
    store.port.abilities.delays = {delays: async () => [stall]};
  });

  it('one finding for each service class, which passes when the objective can be met', async () => {
    expect(await doctor(60_000)).toEqual({
      exit: 0,
      worst: [
        {
          check: 'worst case critical',
          verdict: 'pass',
          says: 'checkout (critical, RTO 1 min): worst case 5 s: no wait to notice, 5 s to cut over (a promotion that stalls 5 s)',
          fix: null,
        },
      ],
    });
  });

  it('an objective that cannot be met is an error, and the exit code says so', async () => {
    expect(await doctor(3000)).toMatchObject({exit: 2, worst: [{verdict: 'error', fix: 'set it to 100ms'}]});
  });

  it('what is not known is not well', async () => {
    store.port.abilities.delays = {delays: async () => Promise.reject(new Error('nobody answers'))};
    expect(await doctor(60_000)).toMatchObject({exit: 3, worst: [{verdict: 'unknown', says: expect.stringContaining('nobody answers')}]});
  });
});
