import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {Pressed} from '../../src/lib/ui/keys.ts';
import {afterPress, firstState, indexOf, type List, type ListState, shownRows} from '../../src/lib/ui/list-state.ts';

type Row = {readonly name: string; readonly size: number};
type View = {readonly rows: readonly Row[]};
type State = ListState<View, 'file' | 'size'>;

const LIST: List<View, Row, 'file' | 'size'> = {
  all: ({rows}) => rows,
  keyOf: ({name}) => name,
  textOf: ({name, size}) => `${name} ${size}`,
  sorts: ['file', 'size'],
  orders: {size: (a, b) => b.size - a.size},
};
const LINES = 40;

const aView = fc
  .uniqueArray(fc.record({name: fc.string({maxLength: 4}), size: fc.nat(5)}), {selector: ({name}) => name, maxLength: 30})
  .map((rows) => ({rows}));
// Without what ends the view.
const aLetter = fc.constantFrom(...'jkgGsp /?hx\r\u007Fé5');
const SPECIAL: readonly Pressed[] = [
  {pageUp: true},
  {pageDown: true},
  {upArrow: true},
  {downArrow: true},
  {end: true},
  {escape: true},
  {return: true},
];
const aPress = fc.oneof(
  aLetter.map((input) => ({input, key: keyOf(input)})),
  fc.constantFrom(...SPECIAL).map((key) => ({input: '', key})),
);

/** A letter's key as Ink gives it when it comes alone. */
function keyOf(input: string): Pressed {
  return {return: input === '\r', escape: input === '\u001B', backspace: input === '\u007F'};
}

function pressed(state: State, view: View, presses: readonly {input: string; key: Pressed}[]): State {
  return presses.reduce((last, press) => {
    const next = afterPress(LIST, last, press, {view, page: 7, lines: () => LINES});
    if (next === null) throw new Error('none of these keys ends it');
    return next;
  }, state);
}

describe('what a reader chooses in a list', () => {
  it('stays within what there is, whatever is pressed', () => {
    fc.assert(
      fc.property(aView, fc.array(aPress, {maxLength: 40}), (view, presses) => {
        const state = pressed(firstState(LIST), view, presses);
        const rows = shownRows(LIST, state.frozen ?? view, state);
        expect(state.offset).toBeGreaterThanOrEqual(0);
        expect(state.offset).toBeLessThanOrEqual(LINES - 7);
        expect(LIST.sorts).toContain(state.sort);
        expect(rows.length === 0 ? 0 : indexOf(LIST, state, rows)).toBeLessThan(Math.max(1, rows.length));
        expect(state.filter).not.toMatch(/\p{Cc}/u);
      }),
    );
  });

  it('is the same whether keys come together or one after the other', () => {
    fc.assert(
      fc.property(aView, fc.array(aLetter, {minLength: 2, maxLength: 20}), (view, letters) => {
        const together = pressed(firstState(LIST), view, [{input: letters.join(''), key: {}}]);
        expect(together).toEqual(
          pressed(
            firstState(LIST),
            view,
            letters.map((input) => ({input, key: keyOf(input)})),
          ),
        );
      }),
    );
  });

  it('shows each row once, in the order that was chosen, equals as they were', () => {
    fc.assert(
      fc.property(aView, (view) => {
        const bySize = shownRows(LIST, view, {filter: '', sort: 'size'});
        expect(bySize.toSorted((a, b) => view.rows.indexOf(a) - view.rows.indexOf(b))).toEqual(view.rows);
        for (const [index, row] of bySize.slice(1).entries()) {
          const before = bySize[index] as Row;
          expect(before.size > row.size || view.rows.indexOf(before) < view.rows.indexOf(row)).toBe(true);
        }
      }),
    );
  });

  it('ends with q in the list, and with Ctrl+C also while a filter is typed', () => {
    const view = {rows: [{name: 'a', size: 1}]};
    const press = (state: State, input: string, key: Pressed = {}) =>
      afterPress(LIST, state, {input, key}, {view, page: 7, lines: () => LINES});
    const typing = press(firstState(LIST), '/') as State;
    expect(press(firstState(LIST), 'q')).toBeNull();
    expect(press(typing, 'q')).toMatchObject({filter: 'q', typing: true});
    expect(press(typing, 'c', {ctrl: true})).toBeNull();
  });
});
