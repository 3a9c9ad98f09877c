import {render} from 'ink';
import type {ReactElement} from 'react';
import {afterEach, beforeEach, expect, vi} from 'vitest';
import {FakeKeyboard, FakeTerminal} from './fake-terminal.ts';

export const UP = '\u001B[A';
export const DOWN = '\u001B[B';
export const PAGE_DOWN = '\u001B[6~';
export const END = '\u001B[F';
export const HOME = '\u001B[H';
export const ESC = '\u001B';

const mounted: {unmount(): void}[] = [];

/** For each test of the file: timers that the test drives, and views that end with it. */
export function withLiveViews(): void {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    for (const one of mounted.splice(0)) one.unmount();
    vi.useRealTimers();
  });
}

/** Until what has changed is drawn. */
export const settle = () => vi.advanceTimersByTimeAsync(300);

/** Draws a live view of `first` on a terminal of its own. What `shown.view` is set to comes next; `press` answers with the frame after the last key. */
export async function showLive<V>(
  columns: number,
  rows: number,
  first: V,
  viewOf: (props: {monitor: {view(): V}; onQuit: () => void}) => ReactElement,
) {
  const terminal = new FakeTerminal(columns, rows);
  const keyboard = new FakeKeyboard();
  const shown = {view: first};
  const onQuit = vi.fn();
  const streams = {stdout: terminal as unknown as NodeJS.WriteStream, stdin: keyboard as unknown as NodeJS.ReadStream};
  const element = viewOf({monitor: {view: () => shown.view}, onQuit});
  mounted.push(render(element, {...streams, debug: true, interactive: true, patchConsole: false, exitOnCtrlC: false}));
  await settle();
  const press = async (...keys: readonly string[]) => {
    for (const key of keys) {
      keyboard.press(key);
      await settle();
    }
    return terminal.lastFrame();
  };
  return {terminal, shown, press, onQuit};
}

/** The line of the chosen row. */
export const chosen = (frame: string) => frame.split('\n').find((line) => line.startsWith('▸')) ?? '';

/** Holds when a frame is no larger than the terminal. */
export function expectFits(frame: string, columns: number, rows: number): void {
  const lines = frame.split('\n');
  expect(lines.length, frame).toBeLessThanOrEqual(rows);
  expect(Math.max(...lines.map((line) => [...line].length)), frame).toBeLessThanOrEqual(columns);
}
