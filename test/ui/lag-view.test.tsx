import {describe, expect, it} from 'vitest';
import type {LagWatchView} from '../../src/lib/operate/lag-watch.ts';
import type {MessageReading, SubscriptionReading} from '../../src/lib/ports/store.ts';
import {layoutOf, lineOf, titlesOf} from '../../src/lib/ui/lag-columns.ts';
import {LINKS} from '../../src/lib/ui/lag-list.ts';
import {LAG_KEYS, lagLook} from '../../src/lib/ui/lag-look.ts';
import {shownRows} from '../../src/lib/ui/list-state.ts';
import {ListView} from '../../src/lib/ui/list-view.tsx';
import {AT, BROKEN, CHANGE, LATE, lagView, linkNow} from './lag-samples.ts';
import {chosen, DOWN, END, ESC, expectFits, PAGE_DOWN, settle, showLive, withLiveViews} from './live.tsx';

withLiveViews();

const STALE_MS = 5000;
const show = (columns: number, rows: number, first: LagWatchView, colour = false) =>
  showLive(columns, rows, first, (props) => (
    <ListView look={lagLook({staleMs: STALE_MS, windowMs: 3_600_000})} colour={colour} {...props} />
  ));

const WELL = linkNow('us-east', 'sa-east');
const UNREAD = {store: 'carts', reason: 'carts-a (127.0.0.1:6379) refused the connection'};
const NAMED = linkNow('eu-west', 'us-east', {store: 'ledger', row: {link: 'from_eu', kind: 'logical'}});
const SEVERAL = lagView([WELL, LATE, BROKEN, NAMED], {unread: [UNREAD]});
const MANY = lagView(
  Array.from({length: 300}, (_, index) =>
    index % 3 === 0
      ? {...BROKEN, row: {...BROKEN.row, to: `member-${String(index).padStart(3, '0')}`}}
      : linkNow(`a-region-with-a-long-name-${index}`, `member-${String(index).padStart(3, '0')}`, {store: `store-${index % 5}`}),
  ),
  {unread: Array.from({length: 30}, (_, index) => ({...UNREAD, store: `carts-${index}`})), notes: ['what is seen is not kept: disk full']},
);

describe.each([
  [40, 14],
  [60, 16],
  [80, 24],
  [120, 40],
  [160, 45],
  [200, 50],
])('the live view of links at %i x %i', (columns, rows) => {
  it.each([
    ['a few', SEVERAL],
    ['three hundred', MANY],
    ['no', lagView([], {waiting: ['orders']})],
  ])('fits, with %s links', async (_, view) => {
    const {terminal, press} = await show(columns, rows, view);
    for (const frame of [
      terminal.lastFrame(),
      await press('?'),
      await press('?'),
      await press('\r'),
      await press(END),
      await press(ESC, '/', 'a'),
    ])
      expectFits(frame, columns, rows);
  });
});

describe('what is held off', () => {
  const held = (region: string) => ({
    route: 'reads',
    region,
    weight: 30,
    since: new Date(AT).toISOString(),
    run: 'shift-1',
    reason: 'the breaker of orders us-east → eu-west is open',
  });

  it('stands above the links, with what could not be done', async () => {
    const {terminal} = await show(
      120,
      24,
      lagView([BROKEN], {drains: {held: [held('eu-west')], stays: [], trouble: 'reads does not answer'}}),
    );
    const frame = terminal.lastFrame();
    expect(frame).toContain('✗ not drained: reads does not answer');
    expect(frame).toContain('⊘ reads: eu-west is held off (it had 30) since 2026-11-27 10:00:00Z: the breaker of orders');
  });

  it('leaves room for the links however much it is', async () => {
    const all = Array.from({length: 40}, (_, index) => held(`region-${index}`));
    for (const [columns, rows] of [
      [40, 14],
      [80, 24],
    ] as const) {
      const {terminal} = await show(columns, rows, lagView([BROKEN], {unread: [UNREAD], drains: {held: all, stays: [], trouble: 'no'}}));
      expectFits(terminal.lastFrame(), columns, rows);
      expect(terminal.lastFrame()).toContain('more of what is held off');
      expect(terminal.lastFrame()).toContain('us-east → eu-west');
    }
  });
});

describe('a row', () => {
  it('is never wider than its columns, and neither are the titles, from 40 to 220 columns', () => {
    const widest = linkNow('a-region-with-a-long-name', 'another-region-with-a-long-name', {
      row: {
        state: 'catching-up',
        replayBytes: 1023.9 * 1024 ** 2,
        flushBytes: 1023.9 * 1024,
        seconds: 3599,
        reason: 'it is late. '.repeat(20),
      },
      percentiles: {...WELL.percentiles, p50Ms: 59_900, p95Ms: 3_590_000, p99Ms: 86_300_000},
      at: AT - 86_300_000,
    });
    for (const links of [[WELL], [widest], [widest, BROKEN], SEVERAL.links])
      for (let columns = 40; columns <= 220; columns += 1) {
        const layout = layoutOf(links, columns);
        for (const link of links) {
          const text = lineOf(link, {at: AT}, layout, STALE_MS)
            .map((part) => part.text)
            .join('');
          expect([...text].length + 1, `${columns}: ${text}`).toBeLessThanOrEqual(columns);
          expect(text).toContain(link.row.state);
        }
        expect([...titlesOf(layout)].length, titlesOf(layout)).toBeLessThanOrEqual(columns);
      }
  });

  it.each([
    [80, ['behind', 'replay', 'last', 'p95', 'age'], ['p50', 'p99', 'why']],
    [120, ['behind', 'replay', 'last looks', 'p50', 'p95', 'p99', 'age'], []],
    [200, ['behind', 'replay', 'flush', 'runway', 'last looks', 'p50', 'p95', 'p99', 'age', 'why'], []],
  ])('at %i columns has what fits', (columns, has, hasNot) => {
    const titles = titlesOf(layoutOf([WELL, {...BROKEN, breaker: WELL.breaker}], columns)).split(/ {2,}| (?=state|breaker)/u);
    for (const title of has) expect(titles.join('|')).toContain(title);
    for (const title of hasNot) expect(titles).not.toContain(title);
  });

  it('names a breaker only when one is not closed', () => {
    expect(titlesOf(layoutOf([WELL], 120))).not.toContain('breaker');
    const layout = layoutOf([WELL, LATE, BROKEN], 120);
    const said = [WELL, LATE, BROKEN].map((link) => lineOf(link, {at: AT}, layout, STALE_MS));
    expect(titlesOf(layout)).toContain('breaker behind');
    expect(said.map((line) => line[3])).toEqual([
      {text: '      ', meaning: 'muted'},
      {text: 'warn  ', meaning: 'warning'},
      {text: 'open  ', meaning: 'critical'},
    ]);
  });

  it('is dimmed once its reading is older than it may be', () => {
    const layout = layoutOf([WELL], 120);
    const meanings = (at: number) => lineOf(WELL, {at}, layout, STALE_MS).map(({meaning}) => meaning);
    expect(meanings(AT + 4000)).toEqual(['good', 'plain', 'good', 'plain', 'muted']);
    expect(meanings(AT + 5000)).toEqual(['good', 'muted', 'good', 'muted', 'muted']);
  });

  it('shows what waits on a link of messages as messages', () => {
    const messages: MessageReading = {
      ...{
        carrier: 'the shovel',
        queue: 'orders',
        flow: 'running',
        depth: 12_345,
        unacknowledged: 3,
        ageBasis: 'estimate',
        oldestAgeSeconds: 9,
      },
      ...{consumers: 1, redelivered: 0, deadLettered: null, publishedPerSecond: 4, movedPerSecond: 4.2},
    };
    const link = linkNow('us', 'eu', {reading: {messages, replayBytes: null}});
    const text = lineOf(link, {at: AT}, layoutOf([link], 100), STALE_MS)
      .map((part) => part.text)
      .join('');
    expect(text).toMatch(/streaming +9 s +12k msg/u);
  });
});

describe('the live view of links', () => {
  it('shows the fleet, what cannot be read, each link, and why some are not well', async () => {
    const {terminal} = await show(80, 24, SEVERAL);
    expect(terminal.lastFrame()).toMatchSnapshot();
    const wide = await show(200, 50, SEVERAL);
    expect(wide.terminal.lastFrame()).toMatch(
      /✗ orders us-east → eu-west +broken +open +1\.2 min +684 KiB .*▁▁▄×█ +12 ms +850 ms +2\.1 s +<1 s {2}us-east has/u,
    );
  });

  it('opens one: every figure with its unit and how old it is, breaker, percentiles and changes', async () => {
    const view = lagView([BROKEN, WELL], {changes: [{...CHANGE, to: 'ap', reason: 'of another'}, CHANGE], at: AT + 2500});
    const {press} = await show(120, 45, view);
    const frame = await press('\r');
    for (const text of [
      'orders us-east → eu-west  broken, read 2 s ago',
      'physical, postgres; every figure was read 2 s ago (2026-11-27 09:59:59Z)',
      'us-east has no connection from eu-west: eu-west says: no route to host.',
      'behind          1 min 11 s  RPO missed',
      'to send         0 B',
      'to flush        0 B         the latest log took 2 ms; a promotion would lose this',
      'to replay       683.6 KiB   the latest log took 3 ms',
      'runway          64 MiB may still be written before it is too late',
      'lag             p50 12 ms   p95 850 ms   p99 2.1 s   largest 4 s',
      'of 90 samples since 2026-11-27 09:58:30Z (1 h); the last 5, × = not known:',
      '▁▁▄×█',
      'open, at 60 s: 71 s behind; closes when it is below 30 s for 30 s; since 2026-11-27 09:58:30Z (1 min',
      '33 s ago)',
      'heard upstream  120 ms before the reading',
      'sync            async',
      'timelines       sender 3, receiver 3',
      'conflicts       2 queries cancelled on the receiver',
      'slot            none, or not known',
      '2026-11-27 09:58:30Z  streaming → broken: us-east has no connection from eu-west.',
    ])
      expect(frame).toContain(text);
    expect(frame).not.toContain('of another');
    expect(await press(ESC)).toContain('sa-east');
  });

  it('opens a subscription, a slot and a link of messages with what they have besides', async () => {
    const subscription: SubscriptionReading = {
      ...{
        name: 'from_eu',
        enabled: false,
        tables: {ready: 7, copying: 1},
        applyErrors: 4,
        syncErrors: null,
        skipping: '0/1A2B',
        origin: 'none',
      },
      conflicts: {insert_exists: 3, update_missing: 0},
    };
    const slot = {name: 'eu_west', active: false, status: 'extended', invalidated: null, retainedBytes: 2 ** 30, safeBytes: 2 ** 29};
    const {press} = await show(100, 50, lagView([linkNow('us', 'eu', {row: {subscription, slot}})]));
    const frame = await press('\r');
    expect(frame).toContain('from_eu: disabled, origin none');
    expect(frame).toContain('tables: 7 ready, 1 copying; errors: 4 applying, – copying');
    expect(frame).toContain('conflicts: insert_exists 3; skips the transaction at 0/1A2B');
    expect(frame).toContain('eu_west: inactive, extended, retains 1 GiB, 512 MiB left');
  });

  it('filters by state, breaker and reason, and says so where nothing matches', async () => {
    const {press} = await show(120, 30, SEVERAL);
    const broken = await press('/no route\r');
    expect(broken).toContain('/no route: 1 of 4');
    expect(chosen(broken)).toContain('eu-west');
    expect(chosen(await press(ESC, '/breaker warn\r'))).toContain('us-east → ap');
    expect(await press(ESC, '/zebra\r')).toContain('nothing matches the filter');
  });

  it('sorts by worst, furthest behind and oldest; what is not known may be furthest of all', () => {
    const unknown = linkNow('us-east', 'dark', {reading: {senderRead: false, trouble: 'us-east did not answer'}, at: AT - 60_000});
    const limited = linkNow('us-east', 'slow', {breaker: LATE.breaker});
    const view = lagView([WELL, limited, unknown, LATE, BROKEN]);
    const order = (sort: (typeof LINKS)['sorts'][number]) => shownRows(LINKS, view, {filter: '', sort}).map(({row}) => row.to);
    expect(order('file')).toEqual(['sa-east', 'slow', 'dark', 'ap', 'eu-west']);
    expect(order('worst')).toEqual(['eu-west', 'dark', 'slow', 'ap', 'sa-east']);
    expect(order('furthest').slice(0, 3)).toEqual(['dark', 'eu-west', 'ap']);
    expect(order('oldest')[0]).toBe('dark');
  });

  it('pauses the screen, not the reading, and keeps the chosen link chosen', async () => {
    const {shown, press, terminal} = await show(80, 24, SEVERAL);
    expect(chosen(await press(DOWN, ' '))).toContain('us-east → ap');
    shown.view = lagView([NAMED, LATE]);
    await settle();
    expect(terminal.lastFrame()).toContain('paused at 2026-11-27 10:00:00Z');
    expect(terminal.lastFrame()).toContain('sa-east');
    const frame = await press('p');
    expect(frame).not.toContain('sa-east');
    expect(chosen(frame)).toContain('us-east → ap');
  });

  it('says what is asked still, and that there is nothing to ask', async () => {
    const {shown, terminal} = await show(80, 24, lagView([], {waiting: ['orders']}));
    expect(terminal.lastFrame()).toMatch(/^shop {2}asking {2}0 links/u);
    shown.view = lagView([]);
    await settle();
    await settle();
    expect(terminal.lastFrame()).toMatch(/^shop {2}\? unknown {2}0 links/u);
    expect(terminal.lastFrame()).toContain('no replication link');
    shown.view = lagView([WELL], {unread: [UNREAD], notes: ['what is seen is not kept: disk full']});
    await settle();
    await settle();
    expect(terminal.lastFrame(), 'a store that is not known may be in any state').toMatch(/^shop {2}\? unknown {2}1 link,/u);
    expect(terminal.lastFrame()).toContain('? carts could not be read: carts-a');
    expect(terminal.lastFrame()).toContain('what is seen is not kept: disk full');
  });

  it('says a reason once: in the row where there is room for all of it, else below the list', async () => {
    const broken = {...BROKEN, breaker: WELL.breaker, row: {...BROKEN.row, reason: 'us-east has no connection from eu-west.'}};
    const times = async (columns: number) =>
      (await show(columns, 24, lagView([WELL, broken]))).terminal.lastFrame().replaceAll(/\s+/gu, ' ').split('has no connection from')
        .length - 1;
    expect([await times(80), await times(200)]).toEqual([1, 1]);
    const many = lagView(Array.from({length: 9}, (_, index) => ({...broken, row: {...broken.row, to: `eu-${index}`}})));
    expect((await show(80, 24, many)).terminal.lastFrame()).toContain('  and 4 more: Enter tells about one');
  });

  it('does not call good what was good when it was last read', async () => {
    const title = async (more: Partial<LagWatchView>) => (await show(80, 24, lagView([WELL], more))).terminal.lastFrame().split('\n')[0];
    expect(await title({at: AT + 4000})).toMatch(/^shop {2}● streaming {2}1 link, percentiles/u);
    expect(await title({at: AT + 6000})).toMatch(/^shop {2}\? unknown {2}1 link, 1 reading old, /u);
  });

  it('scrolls what is open on a low terminal, and obeys a new size', async () => {
    const {press, terminal} = await show(80, 14, SEVERAL);
    const open = await press('\r');
    expect(open).toMatch(/↓ \d+ more/u);
    for (let each = 0; each < 8; each += 1) await press(PAGE_DOWN);
    expect(terminal.lastFrame()).toContain('changes while watching');
    terminal.resize(200, 50);
    await press(ESC);
    expect(terminal.lastFrame()).toContain('runway');
    expectFits(terminal.lastFrame(), 200, 50);
  });

  it('has every key of its table in the help, none of them cut at 80 columns, and ends with q', async () => {
    const {press, onQuit} = await show(80, 24, SEVERAL);
    const help = await press('?');
    for (const {does} of LAG_KEYS) expect(help).toContain(does);
    await press('?', 'q');
    expect(onQuit).toHaveBeenCalledTimes(1);
  });

  it('needs no colour to be read, and has it where there is some', async () => {
    const plain = (await show(120, 30, SEVERAL)).terminal.lastFrame();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is looked for
    expect(plain).not.toMatch(/\u001B\[/u);
    expect(plain).toMatch(/● orders us-east → sa-east +streaming/u);
    expect(plain).toMatch(/◐ orders us-east → ap +catching-up +warn/u);
  });
});
