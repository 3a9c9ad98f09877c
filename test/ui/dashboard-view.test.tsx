import {describe, expect, it, vi} from 'vitest';
import {dashboardView} from '../../src/lib/operate/dashboard-parts.ts';
import type {DashboardView as View} from '../../src/lib/operate/dashboard-view.ts';
import {unknown} from '../../src/lib/snapshot/cell.ts';
import {DashboardView, TABS} from '../../src/lib/ui/dashboard-view.tsx';
import {LOST, parts, STORE, WELL} from './dashboard-samples.ts';
import {AT, CHANGE} from './lag-samples.ts';
import {chosen, DOWN, ESC, expectFits, settle, showLive, withLiveViews} from './live.tsx';

withLiveViews();

const PARTS = parts();
const GONE = unknown('timeout', 'us-east did not answer within 5000 ms', AT);

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
    expect(lineOf(frame, 'eu-west')).toMatch(/40 %\s+s\s+● 0 ms .*~4 KiB/);
    expect(lineOf(frame, 'eu-west')).toMatch(/yes/);
    expect(lineOf(frame, 'ap')).toMatch(/\?\s+no/);
  });

  it('tell a loss whole, or shorter where there is little room, and apart from the lag', async () => {
    const [, second] = WELL.regions;
    const [row] = second?.loss.value ?? [];
    if (second === undefined || row === undefined) throw new Error('the sample has no loss');
    const losing = {...second, region: 'eu-west-10', loss: {...second.loss, value: [{...row, bytes: 1023 * 1024, withinRpo: false}]}};
    const view = {...WELL, regions: [losing]};
    expect((await show(80, 24, view)).terminal.lastFrame()).toMatch(/● 0 ms +✗~1023K +yes/);
    expect((await show(120, 40, view)).terminal.lastFrame()).toMatch(/ ✗ ~1023 KiB +yes/);
  });

  it('have what needs a person beside them: all about the chosen one, and what happened', async () => {
    const {terminal, press} = await show(300, 80, LOST);
    expect(terminal.lastFrame()).toMatch(/us-east {2}healthy, since .*Last events/);
    expect(await press(DOWN)).toMatch(/eu-west {2}unhealthy, since .*Last events/);
    expect(await press('?'), 'not while something is read').not.toContain('Last events');
  });

  it('say of a limit that could not be read that what is left may be less, or that it is not known', async () => {
    const disk = {series: 'disk', value: 10, limit: 50, unit: 'GB', left: 80, at: AT - 20_000};
    const dark = {series: 'cpu', left: null, reason: 'prom: no answer within 5000 ms'};
    const value = [
      {...disk, region: 'us-east'},
      {...dark, region: 'us-east'},
      {...dark, region: 'eu-west'},
      {...disk, region: 'ap'},
    ];
    const view = dashboardView(parts({headroom: {value, at: AT - 400, failing: null}}), []);
    const {terminal, press} = await show(120, 40, view);
    const roomOf = (region: string) => lineOf(terminal.lastFrame(), region).slice(-20);
    expect(roomOf('us-east')).toMatch(/ ≤80 % /);
    expect(roomOf('eu-west')).toMatch(/ \? /);
    expect(roomOf('ap')).toMatch(/ 80 % /);
    expect(await press('\r')).toMatch(/disk: 10 of 50 GB, 80 % left.*\n.*cpu: not known: prom: no answer within 5000 ms/);
  });

  it('keep the keys for help and the end in sight, whatever else is shown there', async () => {
    const {press} = await show(80, 24, LOST);
    expect(await press('/', 'e', 'u', '-', 'w', 'e', 's', 't', '\r', 's')).toMatch(/\/eu-west: 1 of 3.*\? help {2}q quit {2}sorted: worst/);
  });

  it('do not call what is broken behind by the time since it broke', async () => {
    const {terminal} = await show(80, 24, LOST);
    expect(lineOf(terminal.lastFrame(), 'eu-west')).toContain('✗ broken');
  });

  it('tell in the detail since when a link is broken', async () => {
    const {press} = await show(120, 40, {...LOST, lag: {...LOST.lag, changes: [CHANGE]}});
    expect(await press(DOWN, '\r')).toMatch(/orders us-east → eu-west: broken since 2026-11-27 09:58:30Z, nothing replayed for/);
  });

  it('mark what is old by brackets, too', async () => {
    const {terminal} = await show(80, 24, LOST);
    expect(lineOf(terminal.lastFrame(), 'eu-west')).toContain('(40 %)');
  });

  it('call nothing old that is read as often as it should be, however rarely that is', async () => {
    const seldom = dashboardView({...PARTS, at: AT + 40_000, linksEveryMs: 30_000}, []);
    const {terminal} = await show(120, 40, seldom);
    expect(lineOf(terminal.lastFrame(), 'eu-west')).toMatch(/ ● 0 ms /);
    expect(terminal.lastFrame()).toContain('● us-east → eu-west');
  });

  it('call a link old that was not read for several of its turns, also above the regions', async () => {
    const old = dashboardView({...PARTS, at: AT + 40_000}, []);
    const {terminal} = await show(120, 40, old);
    expect(lineOf(terminal.lastFrame(), 'eu-west')).toContain('(● 0 ms)');
    expect(terminal.lastFrame()).toContain('(● us-east → eu-west)');
  });

  it('are acted on where they are seen only, and no other one comes in the place of the first', async () => {
    const onAction = vi.fn();
    const {press, shown} = await showLive(120, 40, WELL, (props) => (
      <DashboardView {...props} colour={false} onAction={onAction} staleMs={5000} windowMs={3_600_000} />
    ));
    await press('?', 'S');
    expect(onAction).not.toHaveBeenCalled();
    await press('?', 's');
    shown.view = LOST;
    await settle();
    await press('S');
    expect(onAction.mock.calls).toEqual([[['switchover', 'run', '--to', 'us-east']]]);
    // A filter hides the one that was chosen: the first of the others is, and stays it.
    shown.view = WELL;
    await press('/', 'e', 'u', '-', '\r');
    shown.view = LOST;
    await settle();
    await press('/', '\x7f', '\x7f', '\x7f', '\r', 'S');
    expect(onAction.mock.calls.at(-1)).toEqual([['switchover', 'run', '--to', 'eu-west']]);
  });

  it('say who held a primary that is not seen any more', async () => {
    const stores = {
      orders: {...PARTS.stores.orders, value: {...STORE, members: {...STORE.members, 'us-east': GONE}}},
    } as typeof PARTS.stores;
    const view = dashboardView(
      {...PARTS, stores, lastRoles: new Map([['orders', new Map([['us-east', {role: 'primary', at: AT - 12_000}]])]])},
      [],
    );
    const {terminal} = await show(120, 40, view);
    expect(terminal.lastFrame()).toContain('orders  P? us-east, not seen for 12 s');
    expect(lineOf(terminal.lastFrame(), 'us-east')).toContain('P? orders');
    expect(terminal.lastFrame()).toContain('orders us-east: not known (primary when it was last seen, 12 s ago)');
  });

  it('call no store without a primary that was not asked yet', async () => {
    const {terminal} = await show(120, 40, dashboardView({...PARTS, stores: {}}, []));
    expect(terminal.lastFrame()).toMatch(/orders {2}asking/);
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
