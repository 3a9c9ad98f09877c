import {describe, expect, it} from 'vitest';
import {withBreakers} from '../../src/lib/operate/with-breakers.ts';
import {BREAKER} from '../../src/lib/replication/breaker.ts';
import {leadBreaker} from '../../src/lib/replication/link-record.ts';
import {sampleFleet, sampleSnapshot} from '../failover/three-regions.ts';
import {recordState} from '../replication/record-state.ts';
import {fakeClock} from '../run/fake-clock.ts';

describe('what a plan remembers of breakers', () => {
  it('are those of the links to each member', () => {
    const clock = fakeClock();
    const state = recordState(clock);
    const fleet = sampleFleet();
    const look = (from: string, to: string, seconds: number) => {
      clock.advance(1000);
      leadBreaker(
        state,
        fleet.name,
        {store: 'orders', from, to},
        {at: clock.wall(), lagMs: seconds * 1000, link: 'moves', end: null, place: null},
        BREAKER,
      );
    };
    const breakers = () => withBreakers(state, fleet, sampleSnapshot()).stores.orders?.breakers;
    expect(breakers()).toBeUndefined();
    expect(withBreakers(null, fleet, sampleSnapshot())).toEqual(sampleSnapshot());
    look('ap', 'eu-west', 90);
    look('us-east', 'eu-west', 1);
    look('us-east', 'ap', 70);
    expect(breakers()?.['eu-west']).toMatchObject([
      {from: 'us-east', state: 'closed', says: 'closed: 1 s behind'},
      {from: 'ap', state: 'open'},
    ]);
    expect(breakers()?.ap).toMatchObject([{from: 'us-east', state: 'open', seenAt: new Date(clock.wall()).toISOString()}]);
  });
});
