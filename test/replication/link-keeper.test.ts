import {describe, expect, it} from 'vitest';
import {BREAKER, type BreakerLook} from '../../src/lib/replication/breaker.ts';
import {createLinkKeeper, type LinkKeeper} from '../../src/lib/replication/link-keeper.ts';
import {breakerChanges, keptSamples, recallBreaker} from '../../src/lib/replication/link-record.ts';
import {fakeClock} from '../run/fake-clock.ts';
import {recordState} from './record-state.ts';

const LINK = {store: 'orders', from: 'us', to: 'eu'};

function world() {
  const clock = fakeClock();
  const state = recordState(clock);
  const keeper = createLinkKeeper({fleet: 'shop', state, clock});
  const look = (of: LinkKeeper, seconds: number | null, link: BreakerLook['link'] = 'moves') =>
    of.look(LINK, {at: clock.wall(), lagMs: seconds === null ? null : seconds * 1000, link, end: null, place: null}, BREAKER);
  return {clock, state, keeper, look};
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('what a command or a live view keeps of links', () => {
  it('is there for the next one: the breaker, its changes, and the samples', () => {
    const {state, keeper, look, clock} = world();
    look(keeper, 1);
    expect(keeper.end()).toBeNull();
    const next = createLinkKeeper({fleet: 'shop', state, clock});
    look(next, 75);
    expect(next.end()).toBeNull();
    expect(recallBreaker(state, 'shop', LINK)).toMatchObject({state: 'open', lagMs: 75_000});
    expect(breakerChanges(state, 'shop', 0).map(({was, state: became}) => `${was} ${became}`)).toEqual(['closed open']);
    expect(keptSamples(state, 'shop', LINK, {since: 0}).sketch).toMatchObject({count: 2, max: 75_000});
  });

  it('keeps the samples of five minutes together, and what changes at once', async () => {
    const {state, keeper, look, clock} = world();
    for (let second = 0; second < 299; second += 1) {
      look(keeper, 2);
      clock.advance(1000);
      await settled();
    }
    expect(keptSamples(state, 'shop', LINK, {since: 0}).sketch.count).toBe(0);
    expect(keeper.samples(LINK).sketch.count).toBe(299);
    clock.advance(1000);
    look(keeper, 2);
    await settled();
    expect(keptSamples(state, 'shop', LINK, {since: 0}).sketch.count).toBe(300);
    look(keeper, 100);
    await settled();
    expect(breakerChanges(state, 'shop', 0)).toHaveLength(1);
  });

  it('counts a look that could not tell as that, not as the lag that was measured before', () => {
    const {keeper, look} = world();
    look(keeper, 5);
    look(keeper, null, 'unseen');
    look(keeper, null);
    expect(keeper.samples(LINK)).toMatchObject({unseen: 2, sketch: {count: 1, max: 5000}});
  });

  it('goes on where nothing can be kept, and says so', () => {
    const {clock, look} = world();
    const keeper = createLinkKeeper({fleet: 'shop', state: null, note: 'what is seen is not kept: read-only', clock});
    look(keeper, 75);
    expect(look(keeper, 75)).toMatchObject({state: 'open'});
    expect([keeper.trouble(), keeper.end()]).toEqual(['what is seen is not kept: read-only', null]);
    const full = createLinkKeeper({
      fleet: 'shop',
      state: {
        ...recordState(clock),
        together: () => {
          throw new Error('disk full');
        },
      },
      clock,
    });
    look(full, 75);
    expect(full.end()).toBe('what is seen is not kept: disk full');
  });
});
