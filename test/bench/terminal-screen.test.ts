import {describe, expect, it} from 'vitest';
import {TerminalScreen} from '../../bench/terminal-screen.ts';

const ESC = '\u001B';

function filled(): TerminalScreen {
  const screen = new TerminalScreen(3);
  screen.write(`${ESC}[1mone${ESC}[22m\r\ntwo\r\n${ESC}[7mthree${ESC}[27m`);
  return screen;
}

describe('the screen of the benches', () => {
  it.each([
    ['the whole screen', `${ESC}[2J${ESC}[H`],
    ['from the top left corner', `${ESC}[1;1H${ESC}[J`],
    ['line by line, before anything is written again', `${ESC}[2K${ESC}[1A${ESC}[2K${ESC}[1A${ESC}[2K${ESC}[G`],
    ['what is scrolled away', `${ESC}[H${ESC}[3J`],
  ])('sees a frame that clears: %s', (_, erases) => {
    expect(filled().write(`${erases}one\r\ntwo\r\nthree`)).toEqual({cleared: true, rows: 3, of: 3});
  });

  it('sees a frame that writes every row without erasing any, and one that writes one', () => {
    expect(filled().write(`${ESC}[2A\rONE\r\nTWO\r\nTHREE`)).toEqual({cleared: false, rows: 3, of: 3});
    const screen = filled();
    expect(screen.write(`${ESC}[2A${ESC}[E${ESC}[2G${ESC}[Ken\r\n`)).toEqual({cleared: false, rows: 1, of: 3});
    expect(screen.lines()).toEqual(['one', 'ten', 'three']);
  });

  it('counts what writing it whole takes, with its styles', () => {
    expect(filled().repaintBytes()).toBe(Buffer.byteLength(`${ESC}[0;1mone\r\ntwo\r\n${ESC}[0;7mthree`));
  });
});
