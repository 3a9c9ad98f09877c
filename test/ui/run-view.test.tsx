import fc from 'fast-check';
import {render} from 'ink';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {composeDrill} from '../../src/lib/drill/compose-drill.ts';
import {parseDrill} from '../../src/lib/drill/drill-file.ts';
import {bigDigits} from '../../src/lib/ui/big-digits.ts';
import {keysOf} from '../../src/lib/ui/keys.ts';
import {layOut, type RunLayout, type Wanted} from '../../src/lib/ui/run-layout.ts';
import {createRunStore, type RunStore} from '../../src/lib/ui/run-store.ts';
import {RunView} from '../../src/lib/ui/run-view.tsx';
import {windowOn} from '../../src/lib/ui/step-window.ts';
import {drillPlan, drillText, inputOf, journal} from '../drill/plans.ts';
import {FakeKeyboard, FakeTerminal} from './fake-terminal.ts';
import {END, ESC, HOME, UP} from './live.tsx';

const mounted: {unmount(): void}[] = [];
beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  for (const one of mounted.splice(0)) one.unmount();
  vi.useRealTimers();
});

const wall = {now: 1000};

async function show(columns: number, rows: number, fill: (store: RunStore) => void = () => undefined, colour = false, plan = drillPlan()) {
  const terminal = new FakeTerminal(columns, rows);
  const keyboard = new FakeKeyboard();
  const store = createRunStore(plan, () => wall.now);
  fill(store);
  const onInterrupt = vi.fn();
  const streams = {stdout: terminal as unknown as NodeJS.WriteStream, stdin: keyboard as unknown as NodeJS.ReadStream};
  const view = <RunView store={store} colour={colour} onInterrupt={onInterrupt} />;
  mounted.push(render(view, {...streams, debug: true, interactive: true, patchConsole: false, exitOnCtrlC: false}));
  await settle();
  const press = async (...keys: readonly string[]) => {
    for (const key of keys) {
      keyboard.press(key);
      await settle();
    }
    return terminal.lastFrame();
  };
  return {terminal, keyboard, store, onInterrupt, press};
}

const settle = () => vi.advanceTimersByTimeAsync(250);
const fits = (terminal: FakeTerminal) => {
  const lines = terminal.lastFrame().split('\n');
  expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(terminal.columns);
  expect(lines.length).toBeLessThan(terminal.rows);
};

const started = journal(
  [1000, 'run-started', null],
  [1000, 'step-started', 'steady-before'],
  [1400, 'result', 'steady-before', {result: {met: true}, says: 'steady'}],
  [1500, 'step-started', 'inject'],
  [1600, 'result', 'inject', {result: {}, says: 'lose is active on us-east'}],
  [1600, 'step-started', 'detect'],
);
const outage = {snapshot: () => ({acknowledged: 1234, failed: 3, unknown: 2, longestGapMs: 1380, sinceLastAckMs: 1380})};

describe.each([
  [80, 24],
  [120, 40],
])('the live view at %i x %i', (columns, rows) => {
  it('shows regions, the gap, the counts and the steps, and never grows beyond the terminal', async () => {
    wall.now = 3100;
    const {terminal} = await show(columns, rows, (store) => {
      for (const event of started) store.event(event);
      store.witness(outage);
      store.region(
        'us-east',
        'unhealthy',
        'postgres refused the connection, and the app timed out after one whole second of waiting for it to answer',
      );
    });
    const frame = terminal.lastFrame();
    expect(frame).toContain('drill region-lost  us-east → eu-west');
    expect(frame).toContain('running  2.1 s');
    expect(frame).toMatch(/✗ us-east {2}unhealthy {2}just now {9}postgres refused/);
    expect(frame, 'what was seen before the run is old').toMatch(/● eu-west {2}healthy {4}3 s ago/);
    for (const line of bigDigits('1.38 s')) expect(frame).toContain(line.trimEnd());
    expect(frame).toContain('since the last acknowledged write');
    expect(frame).toContain('1234 acknowledged  5 not acknowledged  lost: not read back yet');
    expect(frame).toMatch(/✓ preflight {1}see that the fleet is in its steady state: steady +400 ms/);
    expect(frame).toMatch(/▶ detect {4}notice that us-east is unhealthy +1\.5 s/);
    expect(frame).toContain('q or Ctrl+C: stop');
    fits(terminal);
  });

  it('ends with a frame that stays as the record', async () => {
    wall.now = 9000;
    const {terminal} = await show(columns, rows, (store) => {
      for (const event of started) store.event(event);
      store.witness(outage);
      store.witness(null);
      const result = {acknowledged: 2000, failed: 4, unknown: 3, longestGapMs: 1890, lostWrites: 0};
      for (const event of journal(
        [4000, 'result', 'detect', {result: {verdict: 'unhealthy', says: 'us-east is unhealthy after 600 ms'}, says: ''}],
        [5000, 'result', 'witness-stop', {result, says: ''}],
        [6000, 'run-ended', null, {outcome: 'succeeded', code: 'ok', reason: ''}],
      )) {
        store.event(event);
      }
    });
    const frame = terminal.lastFrame();
    expect(frame).toContain('succeeded  5 s');
    expect(frame).toContain('longest write gap');
    expect(frame).toContain('2000 acknowledged  7 not acknowledged  0 lost');
    expect(frame).toMatch(/✗ us-east {2}unhealthy {2}2 s ago {10}us-east is unhealthy after 600 ms/);
    expect(frame).not.toContain('q or Ctrl+C');
    fits(terminal);
  });
});

describe('what a person is told to do', () => {
  const prompts = [
    'Stop the application in us-east on both of its machines, and see in its log that the last request was answered before you go on with anything else.',
    'Promote the database of ap by the runbook "database", step 4 and step 5; the address of the bastion is in the vault below dr/bastion, and nowhere else.',
    'Tell the team on call in the channel #incident what you have done, with the time of each step, before you leave the machine.',
  ];
  const reaction = `reaction: {person: {prompts: ${JSON.stringify(prompts)}, until: [{writable: true}], within: 10m}}`;
  const drill = parseDrill(`${drillText}${reaction}\n`, {file: '/d.yaml', cwd: '/'});
  const plan = composeDrill({...inputOf(drill), reactionPlan: null});
  const waiting = journal([1000, 'run-started', null], [1500, 'step-started', 'reaction']);
  const textOf = (terminal: FakeTerminal) => terminal.lastFrame().replaceAll(/\s+/g, ' ');
  const fill = (store: RunStore) => {
    for (const event of waiting) store.event(event);
    store.witness(outage);
  };

  it('stands there whole at 80 x 24, for as long as it is to be done', async () => {
    wall.now = 3100;
    const {terminal, store} = await show(80, 24, fill, false, plan);
    expect(terminal.lastFrame()).toContain('A person is to do this within 10 min:');
    for (const prompt of prompts) expect(textOf(terminal)).toContain(`- ${prompt}`);
    expect(terminal.lastFrame()).toContain('1.38 s since the last acknowledged write');
    expect(terminal.lastFrame()).toMatch(/▶ promote {3}a person: Stop/);
    fits(terminal);
    for (const event of journal([4000, 'result', 'reaction', {result: {}, says: 'done by a person'}])) store.event(event);
    await settle();
    expect(textOf(terminal)).not.toContain(prompts[2]);
    fits(terminal);
  });

  it('is cut only where there is no room for it, and says so', async () => {
    const {terminal} = await show(50, 16, fill, false, plan);
    expect(terminal.lastFrame()).toMatch(/- Stop the application in us-east/);
    expect(terminal.lastFrame()).toMatch(/… \d+ more lines: make the terminal larger/);
    fits(terminal);
  });
});

describe('the room on a terminal', () => {
  const wanted = fc.record({
    rows: fc.integer({min: 16, max: 80}),
    regions: fc.integer({min: 0, max: 9}),
    gap: fc.boolean(),
    prompts: fc.array(fc.constant('line'), {maxLength: 60}),
  });

  const linesOf = ({big, regions, steps, prompts, unseen}: RunLayout, {gap, prompts: {length}}: Wanted): number => {
    const told = length === 0 ? 0 : prompts.length + Math.min(1, unseen) + 2;
    const above = regions === 0 && length > 0 ? 0 : regions + 1;
    return 5 + told + above + (gap ? (big ? 5 : 3) : 0) + steps;
  };

  it('is never given away twice, and no line of a prompt is left out while anything else could go', () => {
    fc.assert(
      fc.property(wanted, (given) => {
        const layout = layOut(given);
        expect(layout.prompts.length + layout.unseen).toBe(given.prompts.length);
        expect(layout.steps).toBeGreaterThanOrEqual(3);
        expect(linesOf(layout, given)).toBeLessThanOrEqual(Math.max(given.rows, 5 + 7 + 3 + 3));
        if (layout.unseen > 0) expect(layout).toMatchObject({big: false, regions: 0, steps: 3});
      }),
    );
  });
});

describe('the live view', () => {
  it('fits a small terminal, and follows the terminal when it is resized', async () => {
    const {terminal, store} = await show(60, 20, (one) => {
      for (const event of started) one.event(event);
      one.witness(outage);
    });
    expect(terminal.lastFrame()).toContain('1.38 s since the last acknowledged write');
    expect(terminal.lastFrame()).toMatch(/↓ \d+ more/);
    fits(terminal);
    terminal.resize(100, 30);
    await settle();
    fits(terminal);
    terminal.resize(44, 20);
    store.event(
      journal([
        2000,
        'step-failed',
        'detect',
        {code: 'x', says: 'us-east was not seen unhealthy within 30000 ms', effect: 'none', result: null},
      ])[0]!,
    );
    await settle();
    expect(terminal.lastFrame()).toContain('✗ detect');
    fits(terminal);
  });

  it('moves its clock and asks the witness ten times a second', async () => {
    let asked = 0;
    const source = {
      snapshot: () => {
        asked += 1;
        return {...outage.snapshot(), acknowledged: asked};
      },
    };
    await show(80, 24, (store) => store.witness(source));
    const before = asked;
    await vi.advanceTimersByTimeAsync(1000);
    expect(asked - before).toBeGreaterThanOrEqual(8);
    expect(asked - before).toBeLessThanOrEqual(12);
  });

  it('asks to interrupt on q and Ctrl+C, and shows what the runner does about it', async () => {
    const {terminal, keyboard, store, onInterrupt} = await show(80, 24, (one) => started.forEach(one.event));
    keyboard.press('x');
    keyboard.press('q');
    keyboard.press('\u0003');
    await settle();
    expect(onInterrupt).toHaveBeenCalledTimes(2);
    store.event(journal([2000, 'interrupted', null, {going: 'back', says: 'interrupted: undoing what was done'}])[0]!);
    await settle();
    expect(terminal.lastFrame()).toContain('interrupted: undoing what was done');
  });

  it('shows other steps for who moves, while the run goes on, and follows again at Esc', async () => {
    wall.now = 3100;
    const {terminal, keyboard, store, press} = await show(80, 20, (one) => started.forEach(one.event));
    const following = terminal.lastFrame();
    expect(following).toContain('▶ detect');
    expect(following).toContain('? help');
    expect(await press(END)).toContain('release the claim on orders');
    expect(terminal.lastFrame()).not.toContain('▶ detect');
    expect(terminal.lastFrame()).toContain('Esc follow');
    fits(terminal);
    for (const event of journal([3050, 'result', 'detect', {result: {}, says: 'seen'}], [3060, 'step-started', 'promote']))
      store.event(event);
    await settle();
    expect(terminal.lastFrame(), 'it stays where the reader is').toContain('release the claim on orders');
    expect(terminal.lastFrame()).toMatch(/ {2}\d of 16 steps/);
    expect(await press(UP), 'each key moves it').not.toContain('release the claim on orders');
    expect(await press('j')).toContain('release the claim on orders');
    expect(await press(HOME)).toContain('see that the fleet is in its steady state');
    expect(await press(ESC)).toContain('▶ promote');
    expect(terminal.lastFrame()).not.toContain('Esc follow');
    keyboard.press(' ');
    keyboard.press('p');
    wall.now = 9300;
    await settle();
    expect(terminal.lastFrame(), 'nothing pauses a run or its screen').toMatch(/running {2}8\.3 s/);
  });

  it.each([['?'], ['h'], [ESC]])('has its keys on a page that %j closes, and the interrupt is one of them', async (close) => {
    const {terminal, press, onInterrupt} = await show(80, 24, (one) => started.forEach(one.event));
    const help = await press('?');
    for (const {shown, does} of keysOf('run')) expect(help).toContain(`${shown.padEnd(12)} ${does}`.trim());
    expect(help).not.toContain('pause');
    fits(terminal);
    expect(await press(close)).toContain('▶ detect');
    expect(await press('h', 'q'), 'whoever stops a run sees what becomes of it').toContain('▶ detect');
    expect(onInterrupt).toHaveBeenCalledTimes(1);
  });

  it('scrolls its keys where they have no room', async () => {
    const {terminal, press} = await show(60, 20, (one) => {
      for (const event of started) one.event(event);
      one.witness(outage);
    });
    expect(await press('?')).toMatch(/↓ \d+ more/);
    fits(terminal);
    expect(await press(END)).toContain('q or Ctrl+C  stop');
    fits(terminal);
  });

  it.each([
    ['the help', ['?']],
    ['other steps', [END]],
  ])('leaves the steps as its record, whoever was just reading %s', async (_, keys) => {
    const fill = (one: RunStore) => started.forEach(one.event);
    const ended = await show(80, 20, fill);
    expect(await ended.press(...keys)).not.toContain('▶ detect');
    for (const event of journal([6000, 'run-ended', null, {outcome: 'failed', code: 'x', reason: ''}])) ended.store.event(event);
    await settle();
    expect(ended.terminal.lastFrame()).toContain('▶ detect');
    const left = await show(80, 20, fill);
    await left.press(...keys);
    left.store.close();
    await settle();
    expect(left.terminal.lastFrame(), 'also when it did not end').toContain('▶ detect');
  });

  it('says everything without colour too', async () => {
    const {terminal} = await show(80, 24, (store) => {
      for (const event of started) store.event(event);
      store.witness(outage);
    });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is escape sequences that are looked for
    expect(terminal.lastFrame()).not.toMatch(/\u001B\[\d/);
  });

  it('keeps the running step in its window', () => {
    for (let count = 1; count < 30; count += 1) {
      for (let current = 0; current < count; current += 1) {
        for (let rows = 3; rows < 12; rows += 1) {
          const {from, to, earlier, later} = windowOn(count, current, rows);
          expect(to - from + Number(earlier > 0) + Number(later > 0)).toBe(Math.min(count, rows));
          expect(from <= current && current < to).toBe(true);
          expect([earlier, later]).toEqual([from, count - to]);
        }
      }
    }
  });
});
