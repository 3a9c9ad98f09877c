import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {afterRunPress, FOLLOWING, RUN_HELP, type RunLook, type RunRoom} from '../../src/lib/ui/run-state.ts';
import {windowOn} from '../../src/lib/ui/step-window.ts';

const room = (steps: number, rows: number, current: number): RunRoom => ({steps, rows, current});
const press = (look: RunLook, input: string, at: RunRoom, key = {}): RunLook => {
  const next = afterRunPress(look, {input, key}, at);
  expect(next).not.toBe('interrupt');
  return next as RunLook;
};

describe('what the reader of a run looks at', () => {
  it('moves with every key until an end is reached, and never beyond it', () => {
    const rooms = fc
      .record({steps: fc.integer({min: 1, max: 60}), rows: fc.integer({min: 3, max: 30}), share: fc.double({min: 0, max: 1, noNaN: true})})
      .map(({steps, rows, share}) => room(steps, rows, Math.floor(share * steps)));
    fc.assert(
      fc.property(rooms, fc.array(fc.constantFrom('j', 'k', 'g', 'G')), (at, keys) => {
        let look = FOLLOWING;
        for (const key of keys) {
          const from = windowOn(at.steps, look.at ?? at.current, at.rows);
          look = press(look, key, at);
          const to = windowOn(at.steps, look.at ?? at.current, at.rows);
          const hidden = {j: from.later, G: from.later, k: from.earlier, g: from.earlier}[key] as number;
          // One hidden line that comes into view may take the place of the line that said so.
          expect(hidden > 0, `${key} of ${JSON.stringify({at, from, to})}`).toBe(to.from !== from.from || to.to !== from.to);
        }
      }),
    );
  });

  it('follows for as long as every step is seen', () => {
    expect(press(FOLLOWING, 'G', room(5, 5, 1))).toEqual(FOLLOWING);
  });

  it('takes keys that come together one after the other, and stops a run only by one that came alone', () => {
    const at = room(40, 10, 3);
    expect(press(FOLLOWING, 'jjj', at)).toEqual(press(press(press(FOLLOWING, 'j', at), 'j', at), 'j', at));
    expect(press(FOLLOWING, 'quit', at)).toEqual(FOLLOWING);
    expect(press(FOLLOWING, 'qq', at)).toEqual(FOLLOWING);
    expect(afterRunPress(FOLLOWING, {input: 'q', key: {}}, at)).toBe('interrupt');
    expect(afterRunPress({...FOLLOWING, help: true}, {input: 'q', key: {}}, at)).toBe('interrupt');
    expect(afterRunPress(FOLLOWING, {input: 'c', key: {ctrl: true}}, at)).toBe('interrupt');
    expect(press(FOLLOWING, 'q', at, {ctrl: true})).toEqual(FOLLOWING);
  });

  it('goes back to the steps that were looked at when the help is closed', () => {
    const at = room(40, 10, 3);
    const looked = press(FOLLOWING, 'G', at);
    const help = press(press(looked, '?', at), 'G', at);
    expect(help).toMatchObject({help: true, offset: RUN_HELP.length - 9});
    expect(press(help, 'h', at)).toMatchObject({help: false, at: looked.at});
    expect(press(press(help, '', at, {escape: true}), '', at, {escape: true})).toEqual(FOLLOWING);
  });
});
