import {describe, expect, it} from 'vitest';
import type {DashboardView as View} from '../../src/lib/operate/dashboard-view.ts';
import {DashboardView, TABS} from '../../src/lib/ui/dashboard-view.tsx';
import {LOST, WELL} from './dashboard-samples.ts';
import {chosen, DOWN, ESC, expectFits, settle, showLive, withLiveViews} from './live.tsx';

withLiveViews();

const show = (columns: number, rows: number, first: View, colour = false) =>
  showLive(columns, rows, first, (props) => <DashboardView {...props} colour={colour} staleMs={5000} windowMs={3_600_000} />);

const lineOf = (frame: string, region: string): string => frame.split('\n').find((line) => line.slice(3).startsWith(`${region} `)) ?? '';

describe.each([
  [40, 14],
  [60, 16],
  [80, 24],
  [120, 40],
  [300, 80],
])('the dashboard at %i x %i', (columns, rows) => {
  it.each([
    ['well', WELL],
    ['a lost region', LOST],
  ])('fits in every tab: %s', async (_, view) => {
    const {terminal, press} = await show(columns, rows, view);
    expectFits(terminal.lastFrame(), columns, rows);
    for (const tab of TABS.keys()) for (const key of [String(tab + 1), '?', ESC, '\r', ESC]) expectFits(await press(key), columns, rows);
  });
});

describe('the regions', () => {
  it('have verdict, since, traffic, lag, loss, readiness and age at 80 columns', async () => {
    const {terminal} = await show(80, 24, WELL);
    const frame = terminal.lastFrame();
    expect(lineOf(frame, 'us-east')).toMatch(/● us-east\s+healthy\s+3 min\s+60 %/);
    expect(lineOf(frame, 'eu-west')).toMatch(/40 %\s+● 0 ms .*~4 KiB/);
    expect(lineOf(frame, 'eu-west')).toMatch(/yes/);
    expect(lineOf(frame, 'ap')).toMatch(/\?\s+no/);
  });

  it('say who holds which store where there is room', async () => {
    const {terminal} = await show(120, 40, WELL);
    expect(lineOf(terminal.lastFrame(), 'us-east')).toContain('P orders');
    expect(lineOf(terminal.lastFrame(), 'eu-west')).toContain('s orders');
    expect(lineOf(terminal.lastFrame(), 'ap')).toContain('? orders');
  });

  it('show what is lost, and since when a dead source says nothing, in the detail', async () => {
    const {terminal, press} = await show(120, 40, LOST);
    expect(terminal.lastFrame()).toContain('✗ unhealthy');
    expect(terminal.lastFrame()).toContain('web: route web did not answer');
    const detail = await press(DOWN, '\r');
    expect(detail).toContain('web: 40 %, read 45 s ago: route web did not answer');
    expect(detail).toContain('app: it refused the connection');
    expect(detail).toMatch(/breaker open, at 60 s/);
  });

  it('are filtered and sorted, and keep what was chosen while another tab is shown', async () => {
    const {press} = await show(120, 40, LOST);
    expect(chosen(await press('s'))).toContain('eu-west');
    await press('/', 'p', 'e', 'a', 'c', 'h', '\x7f', '\x7f', '\x7f', '\x7f', '\x7f', 'u', 's', '-', '\r');
    const links = await press('\t');
    expect(links).toContain('[2 links]');
    expect(links).toContain('orders us-east → eu-west');
    const back = await press('1');
    expect(back).toContain('/us-: 1 of 3');
  });

  it('are written to by digits while a filter is typed', async () => {
    const {press} = await show(120, 40, WELL);
    expect(await press('/', '2')).toContain('/2█');
  });

  it('stand still while paused', async () => {
    const {terminal, press, shown} = await show(120, 40, WELL);
    await press('p');
    shown.view = LOST;
    await settle();
    expect(terminal.lastFrame()).not.toContain('✗ unhealthy');
    expect(await press('3'), 'in every list').toContain('paused at');
    expect(await press('p', '1')).toContain('✗ unhealthy');
  });
});
