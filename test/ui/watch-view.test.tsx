import {describe, expect, it} from 'vitest';
import {judgeEndpoint} from '../../src/lib/health/judge-endpoint.ts';
import type {EndpointNow, MonitorView} from '../../src/lib/health/monitor.ts';
import {percentile, sparkline} from '../../src/lib/ui/sparkline.ts';
import {WATCH_KEYS} from '../../src/lib/ui/watch-keys.ts';
import {type FIRST_STATE, rowsOf} from '../../src/lib/ui/watch-state.ts';
import {WatchView} from '../../src/lib/ui/watch-view.tsx';
import {AT, endpoint, REFUSED, reading} from '../health/samples.ts';
import {chosen, DOWN, END, ESC, expectFits, HOME, PAGE_DOWN, settle, showLive, UP, withLiveViews} from './live.tsx';

withLiveViews();

/** An endpoint that was asked; `ms` null = it is refused. */
function row(region: string, name: string, ms: number | null, at = AT): EndpointNow {
  const seen = reading(endpoint(name, region), ms === null ? REFUSED : {latencyMs: ms});
  const history = Array.from({length: 30}, (_, index) => (ms === null && index > 24 ? null : (ms ?? 5) + (index % 4)));
  return {region, name, probe: 'http', critical: true, lane: 'live', everyMs: 1000, judged: judgeEndpoint({...seen, at}), history};
}

function viewOf(endpoints: readonly EndpointNow[], more: Partial<MonitorView> = {}): MonitorView {
  const names = [...new Set(endpoints.map(({region}) => region))];
  const regions = names.map((region): MonitorView['regions'][number] => {
    const down = endpoints.some((each) => each.region === region && each.judged?.verdict === 'unhealthy');
    const says = down
      ? ({verdict: 'unhealthy', code: 'refused', reason: 'app: it refused the connection'} as const)
      : ({verdict: 'healthy', code: 'ok', reason: '3 endpoints healthy'} as const);
    return {region, ...says, agree: 1, asked: 1, endpoints: [], since: AT - 60_000, flappingSince: null};
  });
  return {fleet: 'shop', at: AT + 400, regions, endpoints, changes: [], notes: [], askedPerSecond: 12.4, loopLagMs: 3, ...more};
}

const FEW = viewOf([
  row('us-east', 'app', 12),
  row('us-east', 'db', 3),
  row('eu-west', 'app', null),
  row('eu-west', 'db', 48, AT - 60_000),
  row('ap', 'app', 7),
]);
const many = (count: number) =>
  viewOf(
    Array.from({length: count}, (_, index) => row(`region-${index % 20}`, `service-${String(index).padStart(4, '0')}`, 1 + (index % 50))),
  );

const show = (columns: number, rows: number, first: MonitorView, colour = false) =>
  showLive(columns, rows, first, (props) => <WatchView {...props} colour={colour} />);

describe.each([
  [80, 24],
  [120, 40],
  [200, 50],
  [300, 80],
  [60, 12],
])('the live view of health at %i x %i', (columns, rows) => {
  it.each([
    ['few', FEW],
    ['a thousand', many(1000)],
  ])('fits, with %s endpoints', async (_, view) => {
    const {terminal, press} = await show(columns, rows, view);
    for (const frame of [terminal.lastFrame(), await press('?'), await press(ESC), await press('\r'), await press(ESC, '/', 'a')]) {
      expectFits(frame, columns, rows);
    }
  });
});

describe('the live view of health', () => {
  it('shows the fleet, each region with its reason, and each endpoint with verdict, latency and age', async () => {
    const {terminal} = await show(80, 24, FEW);
    expect(terminal.lastFrame()).toMatchSnapshot();
    const wide = await show(200, 30, FEW);
    expect(wide.terminal.lastFrame()).toMatch(
      /eu-west\/app {2,}http +unhealthy +– +<1 s {2}.*×××××.* {2}127\.0\.0\.1:21001 refused the connection/,
    );
  });

  it('moves through a thousand endpoints', async () => {
    const {terminal, press} = await show(80, 24, many(1000));
    expect(terminal.lastFrame()).toContain('region-0/service-0000');
    expect(terminal.lastFrame()).toMatch(/↓ 9\d\d more/);
    expect(chosen(await press(DOWN, DOWN, 'k'))).toContain('service-0001');
    expect(chosen(await press(PAGE_DOWN))).toMatch(/service-001\d/);
    expect(chosen(await press(END))).toContain('service-0999');
    expect(terminal.lastFrame()).toMatch(/↑ 9\d\d more/);
    expect(chosen(await press(DOWN, UP))).toContain('service-0998');
    expect(chosen(await press(HOME))).toContain('service-0000');
  });

  it('filters by what is typed, and keeps or drops it', async () => {
    const {press} = await show(80, 24, FEW);
    const typed = await press('/', 'e', 'u', '-');
    expect(typed).toContain('/eu-█  Enter keeps it, Esc shows all (2 of 5)');
    expect(typed).not.toContain('us-east/app');
    // What would be keys elsewhere is text here.
    expect(await press('q')).toContain('/eu-q█  Enter keeps it, Esc shows all (0 of 5)');
    const kept = await press('\u007F', '\r');
    expect(kept).toContain('/eu-: 2 of 5');
    expect(kept).toContain('eu-west/db');
    expect(await press(ESC)).toContain('us-east/app');
    expect(await press('/', 'r', 'e', 'f', 'u', 's', 'e', 'd', '\r')).toMatch(/eu-west\/app/);
  });

  it('takes keys that come together, as over a slow line, one after the other', async () => {
    const {press} = await show(80, 24, FEW);
    expect(await press('/eu-')).toContain('/eu-█  Enter keeps it, Esc shows all (2 of 5)');
    expect(chosen(await press('\r', 'jkj'))).toContain('eu-west/db');
    expect(await press('/app\u007F\u007Fp\r')).toContain('/eu-ap: 0 of 5');
  });

  it('sorts by worst, slowest and oldest', () => {
    const names = (sort: (typeof FIRST_STATE)['sort']) => rowsOf(FEW, {filter: '', sort}).map(({region, name}) => `${region}/${name}`);
    expect(names('file')).toEqual(['us-east/app', 'us-east/db', 'eu-west/app', 'eu-west/db', 'ap/app']);
    expect(names('worst')[0]).toBe('eu-west/app');
    expect(names('slowest').slice(0, 2)).toEqual(['eu-west/db', 'us-east/app']);
    expect(names('oldest')[0]).toBe('eu-west/db');
  });

  it('opens one: reason, latencies, who sees it, and its region', async () => {
    const seen = {
      ...reading(endpoint('app', 'eu-west'), REFUSED),
      others: [
        {
          vantage: 'sa',
          region: null,
          sees: 'status' as const,
          whole: true,
          attempts: 1,
          result: {ok: true, latencyMs: 41, code: 'ok', detail: 'it is well'},
        },
      ],
    };
    const view = viewOf([{...row('eu-west', 'app', 5), judged: judgeEndpoint(seen)}], {
      changes: [
        {
          at: '2026-11-21T09:59:00.000Z',
          region: 'eu-west',
          from: 'healthy',
          to: 'unknown',
          code: 'cut-off',
          reason: 'only we do not reach it',
        },
      ],
    });
    const {press} = await show(100, 30, view);
    const frame = await press('\r');
    expect(frame).toContain('eu-west/app  unknown');
    expect(frame).toContain('cut off from here: 1 of 2 vantage points reach it, we do not');
    expect(frame).toMatch(/latency – +p50 6 ms +p95 8 ms +of the last 30 looks/);
    expect(frame).toContain('here: not well: 127.0.0.1:21001 refused the connection');
    expect(frame).toContain('sa: well, 41 ms: it is well');
    expect(frame).toContain('2026-11-21 09:59:00Z  healthy → unknown: only we do not reach it');
    expect(await press(ESC)).not.toContain('p95');
  });

  it('scrolls what does not fit, on a low terminal as well', async () => {
    const {press, terminal} = await show(60, 12, FEW);
    const help = await press('?');
    expect(help).toContain('one up');
    expect(help).toMatch(/↓ \d+ more/);
    for (let each = 0; each < 3; each += 1) await press(PAGE_DOWN);
    expect(terminal.lastFrame()).toContain('q or Ctrl+C  end');
    expect(terminal.lastFrame()).toMatch(/keys {2}\(↑ \d+ more\)/);
    expect(await press(UP, UP, UP, UP, UP, UP, UP, UP, UP, UP)).toContain('one up');
    expect(await press(ESC)).toContain('us-east/app');
  });

  it('says so where nothing matches', async () => {
    const {press} = await show(80, 24, FEW);
    expect(await press('/zebra\r')).toContain('nothing matches the filter');
  });

  it('pauses the screen, not the asking', async () => {
    const {shown, press, terminal} = await show(80, 24, FEW);
    await press(' ');
    shown.view = viewOf([row('us-east', 'app', 999)]);
    await settle();
    expect(terminal.lastFrame()).toContain('paused at');
    expect(terminal.lastFrame()).toContain('eu-west/app');
    expect(await press('p')).toContain('999 ms');
  });

  it('keeps the chosen endpoint chosen while the order changes around it', async () => {
    const {shown, press} = await show(80, 24, FEW);
    expect(chosen(await press('s', DOWN, DOWN))).toContain('us-east/db');
    shown.view = viewOf([...FEW.endpoints].reverse());
    await settle();
    expect(chosen(await press('s', 's', 's'))).toContain('us-east/db');
  });

  it('says when this process is unfit, and what is not kept', async () => {
    const {terminal} = await show(120, 24, viewOf(FEW.endpoints, {loopLagMs: 640, notes: ['what is seen is not kept: disk full']}));
    expect(terminal.lastFrame()).toContain('stalled 640 ms');
    expect(terminal.lastFrame()).toContain('what is seen is not kept: disk full');
    expect(terminal.lastFrame(), 'the keys stay').toContain('q quit');
  });

  it('begins before anything is known', async () => {
    const endpoints = [{...row('eu-west', 'app', 5), judged: null, history: []}];
    const {terminal} = await show(80, 24, viewOf(endpoints, {regions: [{region: 'eu-west', verdict: null}]}));
    expect(terminal.lastFrame()).toMatch(/· eu-west {2}asking/);
    expect(terminal.lastFrame()).toMatch(/· eu-west\/app +asking/);
  });

  it('ends with q and with Ctrl+C, also while a filter is typed', async () => {
    const {press, onQuit} = await show(80, 24, FEW);
    await press('q');
    expect(onQuit).toHaveBeenCalledTimes(1);
    await press('/', 'q', '\u0003');
    expect(onQuit).toHaveBeenCalledTimes(2);
  });

  it('has every key of its table in the help', async () => {
    const {press} = await show(120, 40, FEW);
    const help = await press('?');
    for (const {does} of WATCH_KEYS) expect(help).toContain(does);
    expect(await press('x')).toContain('keys');
    expect(await press('?')).toContain('us-east/app');
  });
});

describe('figures', () => {
  it('a sparkline is relative to its largest value, newest at the right', () => {
    expect(sparkline([1, 2, 4, 8], 6)).toBe('  ▂▃▅█');
    expect(sparkline([5, null, 5], 3)).toBe('█×█');
    expect(sparkline([1, 1, 1, 1], 2)).toBe('██');
    expect(sparkline([0.1, 0.2], 2)).toBe('▁▂');
    expect(sparkline([], 3)).toBe('   ');
  });

  it('percentiles are by nearest rank, without what was missed', () => {
    const values = [...Array.from({length: 100}, (_, index) => index + 1), null, null];
    expect([percentile(values, 0.5), percentile(values, 0.95), percentile(values, 1)]).toEqual([50, 95, 100]);
    expect(percentile([null], 0.5)).toBeNull();
  });
});
