import {describe, expect, it} from 'vitest';
import {staleAfterMs, watchExit} from '../../src/lib/operate/lag-verdict.ts';
import {AT, BROKEN, LATE, lagView, linkNow} from '../ui/lag-samples.ts';

const WELL = linkNow('us-east', 'ap');
const CLOSED = WELL.breaker;
const OPEN = {...WELL, breaker: BROKEN.breaker};
const WARNS = {...WELL, breaker: LATE.breaker};
const DARK = linkNow('us-east', 'dark', {reading: {senderRead: false, trouble: 'us-east did not answer'}});
const UNREAD = [{store: 'carts', reason: 'refused'}];

describe('the exit code of a watch', () => {
  it.each([
    ['all is well', lagView([WELL]), 0],
    ['a breaker warns', lagView([WELL, WARNS]), 1],
    ['a link is late, and its breaker closed', lagView([{...LATE, breaker: CLOSED}]), 1],
    ['a breaker is open, although the link is well by now', lagView([OPEN]), 2],
    ['a link is broken', lagView([{...BROKEN, breaker: CLOSED}, DARK]), 2],
    ['a breaker is open and a link unknown', lagView([OPEN, DARK]), 2],
    ['a link is unknown and a breaker warns', lagView([DARK, WARNS]), 3],
    ['a store could not be read', lagView([WELL], {unread: UNREAD}), 3],
    ['a store has not answered yet', lagView([WELL], {waiting: ['carts']}), 3],
    ['a reading is too old to say how it is now', lagView([WELL], {at: AT + 5001}), 3],
    ['there is no link', lagView([]), 3],
  ])('when %s', (_, view, code) => expect(watchExit(view, 5000)).toBe(code));

  it('a reading is old after three intervals, and never before 5 s', () => {
    expect([100, 1000, 2000, 60_000].map(staleAfterMs)).toEqual([5000, 5000, 6000, 180_000]);
  });
});
