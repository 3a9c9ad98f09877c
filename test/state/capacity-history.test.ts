import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readdirSync, statSync, unlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it, onTestFinished} from 'vitest';
import {metricsContract} from '../../src/kit/contracts/metrics.ts';
import {outcomeOf} from '../../src/kit/contracts/runner.ts';
import {historyMetrics} from '../../src/lib/providers/history/history-metrics.ts';
import {openHistory, openHistoryIfThere} from '../../src/lib/state/capacity-history.ts';
import {realClock} from '../health/real-clock.ts';
import {fakeClock} from '../run/fake-clock.ts';
import {eventually} from '../servers/embedded.ts';
import {tempDir} from './temp-dir.ts';

const clock = fakeClock({auto: false});
const FOREVER = Number.MAX_SAFE_INTEGER;
const DAY = 86_400_000;

async function open(dir: string, fleet = 'shop') {
  const history = await openHistory({dir, fleet, clock});
  onTestFinished(() => history.close());
  return history;
}

describe('what was collected', () => {
  it('is there again, by series, region and time, for this fleet and this user only', async () => {
    const dir = join(tempDir(), 'deep', 'state');
    const first = await open(dir);
    first.append(
      [
        {series: 'requests', region: 'us', at: 1000, value: 1.5},
        {series: 'requests', region: 'us', at: 2000, value: 2},
        {series: 'requests', region: null, at: 2000, value: 9},
        {series: 'orders', region: 'us', at: 2000, value: 7},
      ],
      FOREVER,
    );
    first.close();
    const again = await open(dir);
    expect(again.read('requests', 0, 5000)).toEqual([
      {region: null, readings: [{at: 2000, value: 9}]},
      {
        region: 'us',
        readings: [
          {at: 1000, value: 1.5},
          {at: 2000, value: 2},
        ],
      },
    ]);
    expect(again.read('requests', 1001, 1999).flatMap(({readings}) => readings)).toEqual([]);
    expect((await open(dir, 'another')).read('requests', 0, 5000)).toEqual([]);
    expect(statSync(join(dir, 'capacity.db')).mode & 0o777).toBe(0o600);
  });

  it('of two values of one time the last one stays', async () => {
    const history = await open(tempDir());
    for (const value of [1, 2]) history.append([{series: 'a', region: null, at: 5, value}], FOREVER);
    expect(history.read('a', 0, 10)).toEqual([{region: null, readings: [{at: 5, value: 2}]}]);
  });

  it('is kept for as long as the fleet file says', async () => {
    const history = await open(tempDir());
    const now = clock.wall();
    const days = Array.from({length: 41}, (_, index) => 40 - index).map((back) => ({
      series: 'a',
      region: null,
      at: now - back * DAY,
      value: back,
    }));
    history.append(days, FOREVER);
    history.append([{series: 'b', region: null, at: now, value: 1}], 30 * DAY);
    expect(history.read('a', 0, now)[0]?.readings).toHaveLength(41);
    expect(history.append([{series: 'a', region: null, at: now + 1, value: 5}], 30 * DAY)).toBeNull();
    expect(history.read('a', 0, now + 1)[0]?.readings.map(({value}) => value)).toEqual([...days.slice(10).map(({value}) => value), 5]);
  });

  /* The clock of the machine, and with it the source on it, is five years ahead for three rounds: no passing of time explains that, so that nothing is old. */
  it('a clock that is years ahead takes nothing along, and it is said what stays', async () => {
    const dir = tempDir();
    const now = clock.wall();
    const days = Array.from({length: 41}, (_, index) => ({series: 'a', region: null, at: now - (40 - index) * DAY, value: index}));
    const before = await open(dir);
    before.append(days, FOREVER);
    before.close();
    const ahead = now + 5 * 365 * DAY;
    const jumped = await openHistory({dir, fleet: 'shop', clock: fakeClock({start: ahead, auto: false})});
    onTestFinished(() => jumped.close());
    for (const round of [0, 1, 2]) {
      const held = jumped.append([{series: 'a', region: null, at: ahead + round * 60_000, value: 9}], 30 * DAY);
      // The ends of the silence are the last right and the first wrong value.
      expect(held).toMatchObject({from: now, to: ahead});
    }
    const left = jumped.read('a', 0, now)[0]?.readings.map(({at}) => (now - at) / DAY) ?? [];
    // What is older than 30 days of those 40 is old whoever looks, and two minutes have passed.
    expect(left).toEqual(Array.from({length: 30}, (_, index) => 29 - index));
    // Right again: nothing more goes, and nothing is held back.
    const after = await open(dir);
    expect(after.append([{series: 'a', region: null, at: now + 1, value: 7}], 30 * DAY)).toBeNull();
    expect(after.read('a', 0, now + 1)[0]?.readings).toHaveLength(31);
  });

  it('after a pause old values go when as much time as they are kept for has been collected since', async () => {
    const history = await open(tempDir());
    const now = clock.wall();
    const at = (back: number) => ({series: 'a', region: null, at: now - back * DAY, value: back});
    // Ten days, a pause of fifty, ten days.
    history.append([...Array.from({length: 11}, (_, day) => at(70 - day)), ...Array.from({length: 11}, (_, day) => at(10 - day))], FOREVER);
    expect(history.append([at(0)], 15 * DAY)).toEqual({count: 6, from: now - 60 * DAY, to: now - 10 * DAY});
    expect(history.read('a', 0, now)[0]?.readings[0]?.value).toBe(65);
  });

  it('whoever collects once a week loses what is older than it is kept for', async () => {
    const history = await open(tempDir());
    const now = clock.wall();
    const weeks = Array.from({length: 11}, (_, week) => ({series: 'a', region: null, at: now - (10 - week) * 7 * DAY, value: week}));
    expect(history.append(weeks, 30 * DAY)).toBeNull();
    expect(history.read('a', 0, now)[0]?.readings.map(({value}) => value)).toEqual([6, 7, 8, 9, 10]);
  });

  it('nothing is made where nothing was collected', async () => {
    const dir = tempDir();
    expect(await openHistoryIfThere({dir, fleet: 'shop', clock})).toBeNull();
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('what goes wrong', () => {
  it('whoever only reads does not wait for whoever writes', async () => {
    const dir = tempDir();
    (await open(dir)).append([{series: 'requests', region: null, at: 1000, value: 9}], FOREVER);
    const {DatabaseSync} = await import('node:sqlite');
    const other = new DatabaseSync(join(dir, 'capacity.db'));
    onTestFinished(() => other.close());
    other.exec('BEGIN IMMEDIATE');
    // It would fail after five seconds.
    const reader = await openHistoryIfThere({dir, fleet: 'shop', clock});
    expect(reader?.read('requests', 0, 5000)).toHaveLength(1);
    reader?.close();
  });

  it('a file that is none of ours, or of a later version', async () => {
    const dir = tempDir();
    writeFileSync(join(dir, 'capacity.db'), 'this is no database at all, and long enough to be one '.repeat(20));
    expect(await outcomeOf(() => open(dir))).toMatchObject({exit: 73, code: 'state-corrupt'});
    const {DatabaseSync} = await import('node:sqlite');
    const [foreign, later] = [tempDir(), tempDir()];
    new DatabaseSync(join(foreign, 'capacity.db')).exec('CREATE TABLE theirs (a)');
    expect(await outcomeOf(() => open(foreign))).toMatchObject({exit: 73, code: 'state-foreign'});
    (await openHistory({dir: later, fleet: 'shop', clock})).close();
    const db = new DatabaseSync(join(later, 'capacity.db'));
    db.exec('PRAGMA user_version = 9');
    db.close();
    expect(await outcomeOf(() => open(later))).toMatchObject({exit: 73, code: 'state-newer'});
  });

  it('a file that was taken away is not written to silently', async () => {
    const dir = tempDir();
    const history = await open(dir);
    unlinkSync(join(dir, 'capacity.db'));
    expect(await outcomeOf(() => history.append([{series: 'a', region: null, at: 1, value: 1}], FOREVER))).toMatchObject({
      exit: 73,
      code: 'state-gone',
    });
  });
});

/** A process of its own that appends; `acknowledged` = the last round that it said is kept, -1 = none. */
function appender(dir: string, name: string, everyMs: number) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'children/append-readings.ts'), dir, name, String(everyMs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return {
    acknowledged: () => Number(text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1) || -1),
    kill: async () => {
      child.kill('SIGKILL');
      await once(child, 'close');
    },
  };
}

describe('processes that end at any time', () => {
  it('kill -9 loses nothing that was acknowledged, keeps rounds whole, and never breaks reading or going on', async () => {
    const dir = tempDir();
    let least = 0;
    for (const wait of [40, 90, 10]) {
      const one = appender(dir, 'a', 0);
      await eventually(() => one.acknowledged() >= 20);
      await new Promise((resolve) => setTimeout(resolve, wait));
      await one.kill();
      least = Math.max(least, one.acknowledged());
      const history = await openHistory({dir, fleet: 'shop', clock: realClock});
      const sets = history.read('a', 0, 2e12);
      history.close();
      expect(sets).toHaveLength(3);
      const lengths = sets.map(({readings}) => readings.length);
      expect(new Set(lengths).size).toBe(1);
      expect(lengths[0]).toBeGreaterThan(least);
      expect(sets[0]?.readings.every(({value}, index) => value === index)).toBe(true);
    }
  });

  it('two at once do each other no harm', async () => {
    const dir = tempDir();
    const both = [appender(dir, 'a', 1), appender(dir, 'b', 1)];
    await eventually(() => both.every((one) => one.acknowledged() >= 30));
    const history = await open(dir);
    expect(history.read('a', 0, 2e12)[0]?.readings.length).toBeGreaterThan(30);
    for (const one of both) await one.kill();
    for (const [index, name] of ['a', 'b'].entries())
      expect(history.read(name, 0, 2e12)[0]?.readings.length).toBeGreaterThan(both[index]?.acknowledged() ?? Number.NaN);
  });
});

metricsContract({describe, it, expect}, async () => {
  const dir = tempDir();
  const history = await openHistory({dir, fleet: 'shop', clock});
  const from = 1_700_000_000_000;
  history.append(
    Array.from({length: 40}, (_, index) => ({series: 'a', region: index % 2 === 0 ? 'us' : null, at: from + index * 60_000, value: index})),
    FOREVER,
  );
  history.close();
  return {
    metrics: historyMetrics({dir, fleet: 'shop', clock}),
    ...{query: 'a', range: {from, to: from + 39 * 60_000, stepMs: 60_000}, empty: 'none', secrets: []},
  };
});

it('is found once it was begun, and a source of nothing says so', async () => {
  const dir = tempDir();
  const source = historyMetrics({dir, fleet: 'shop', clock});
  const ask = () => source.series('a', {from: 0, to: 10, stepMs: 1}, AbortSignal.timeout(5000));
  expect(await ask()).toEqual({sets: [], remarks: ['nothing was collected yet']});
  (await open(dir)).append([{series: 'a', region: 'us', at: 5, value: 1}], FOREVER);
  expect(await ask()).toEqual({sets: [{labels: {region: 'us'}, readings: [{at: 5, value: 1}]}], remarks: []});
  await source.close?.();
});
