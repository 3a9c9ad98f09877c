import {describe, expect, it} from 'vitest';
import {delaysOf, type ReadWaits, type Waits} from '../../../src/lib/providers/postgres/delays.ts';

const DEFAULTS: Waits = {recovering: true, retryMs: 5000, applyMs: 0, streamingMs: 30_000, archiveMs: 30_000};
const NONE = {...DEFAULTS, retryMs: 0, streamingMs: 0, archiveMs: 0};
const primary: ReadWaits = {member: 'us', waits: {...NONE, recovering: false}};
const standby = (member: string, waits: Partial<Waits> = {}): ReadWaits => ({member, waits: {...NONE, ...waits}});
const silent = (member: string): ReadWaits => ({member, error: `${member} did not answer in time`});
/** What is told beyond how long we ourselves wait. */
const settings = (...read: readonly ReadWaits[]) =>
  delaysOf('orders', read)
    .slice(2)
    .map(({ms, why}) => `${ms} ${why}`);

describe('what a failover of a store run by hand may wait for', () => {
  it('our own limits always, which have no fix', () => {
    expect(delaysOf('orders', [primary, standby('eu')]).map(({stage, ms, fix}) => [stage, ms, fix])).toEqual([
      ['detect', 1500, null],
      ['cut-over', 3000, null],
    ]);
  });

  it("PostgreSQL's defaults, each with its setting and what to do", () => {
    const delays = delaysOf('orders', [primary, {member: 'eu', waits: DEFAULTS}]).slice(2);
    expect(delays).toEqual([
      {
        stage: 'cut-over',
        what: 'a promotion of orders that stalls',
        ms: 5000,
        why: 'wal_retrieve_retry_interval of eu is 5 s: a promotion can stall for that long',
        fix: 'set wal_retrieve_retry_interval to 100ms on the members of orders',
      },
      {
        stage: 'cut-over',
        what: 'queries that hold up replay in orders',
        ms: 30_000,
        why: expect.stringContaining('let a query on eu hold up its replay for 30 s'),
        fix: 'lower max_standby_streaming_delay and max_standby_archive_delay on the members of orders that may take over',
      },
    ]);
  });

  it('the longest of those that may take over, not what the primary has set', () => {
    const busy = {member: 'us', waits: {...DEFAULTS, recovering: false, retryMs: 60_000, applyMs: 60_000}};
    expect(settings(busy, standby('eu', {retryMs: 100}), standby('ap', {retryMs: 300}))).toEqual([
      '300 wal_retrieve_retry_interval of ap is 0.3 s: a promotion can stall for that long',
    ]);
  });

  it('a replay that is delayed on purpose, and one that queries may hold up for ever', () => {
    expect(settings(primary, standby('eu', {applyMs: 3_600_000, archiveMs: -1}), standby('ap', {streamingMs: 60_000}))).toEqual([
      expect.stringMatching(/^Infinity .* a query on eu hold up its replay without a limit/),
      expect.stringMatching(/^3600000 recovery_min_apply_delay of eu is 3600 s/),
    ]);
  });

  it('whoever does not answer is not known, but for the one who can only be the primary', () => {
    expect(settings(primary, standby('eu'), silent('ap'))).toEqual(['null ap did not answer in time']);
    expect(settings(silent('us'), standby('eu'), standby('ap'))).toEqual([]);
    expect(settings(silent('us'), standby('eu'), silent('ap'))).toHaveLength(2);
    expect(settings(silent('us'), silent('eu'), silent('ap'))).toHaveLength(3);
  });
});
