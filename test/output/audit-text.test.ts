import {describe, expect, it} from 'vitest';
import {progressLine} from '../../src/lib/output/audit-progress.ts';
import {type AuditTableRow, type AuditView, auditText, percent} from '../../src/lib/output/audit-text.ts';
import {plainPaint} from '../../src/lib/output/paint.ts';

const OPTIONS = {columns: 100, paint: plainPaint(), now: 0};
const TABLE: AuditTableRow = {
  ...{
    table: 'public.orders',
    verdict: 'equal',
    rows: 1_000_030,
    covered: 1,
    accuracy: 1,
    divergent: [],
    late: 12,
    unsettled: 0,
    unexamined: 0,
  },
  ...{bytesMoved: 1_337_759, elapsedMs: 1835, snapshots: {eu: 1, us: 1}, hashed: null, reason: null},
};
const VIEW: AuditView = {
  ...{
    audit: '20261128-133130-ed0434',
    store: 'orders',
    engine: 'postgres',
    verdict: 'equal',
    reason: 'All rows are the same.',
    mode: 'full',
  },
  ...{full: '2026-11-28T13:31:30Z', startedAt: '2026-11-28T13:31:30Z', endedAt: '2026-11-28T13:31:32Z', resumed: false},
  coverage: {share: 1, regions: ['eu', 'us'], lost: [], skipped: [{table: 'public.log', reason: 'it has no primary key'}]},
  accuracy: 1,
  asOf: {eu: '4312400440', us: '302014000'},
  tables: [TABLE],
};
const key = (name: string) => ({
  key: name,
  class: 'stale',
  regions: ['eu'],
  why: 'eu has an older version than us, by commit time.',
  differs: ['amount'],
  suspects: [],
});

describe('the text of an audit', () => {
  it('says the verdict, what it is worth, and where each region was', () => {
    const text = auditText(VIEW, OPTIONS);
    expect(text).toContain('consistency audit of orders at 2026-11-28 13:31:30Z: equal');
    expect(text).toContain('covered: 100 % of the rows in eu, us; 100 % of them are the same; every row was read');
    expect(text).toContain('not compared: public.log, it has no primary key');
    expect(text).toContain('as of eu 1/10A0238, us 0/12005E30');
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  it('lists the first twenty keys, and says how many more there are', () => {
    const divergent = Array.from({length: 25}, (_, index) => key(String(index)));
    const text = auditText(
      {...VIEW, verdict: 'diverged', tables: [{...TABLE, verdict: 'diverged', accuracy: 0.99997, divergent}]},
      OPTIONS,
    );
    expect(text.match(/stale in eu: eu has an older version than us, by commit time; differs: amount/gu)).toHaveLength(20);
    expect(text).toContain('… and 5 more; --json has all of them');
    expect(text).toContain('99.9970 %');
  });

  it('a list that was cut says so, with what was not looked into', () => {
    const cut = {...TABLE, verdict: 'truncated' as const, accuracy: 0.2, divergent: [key('1')], unexamined: 800_000};
    expect(auditText({...VIEW, verdict: 'truncated', tables: [cut]}, OPTIONS)).toMatch(/>1 [\s\S]*The list is full: 800,000 more rows/u);
  });

  it('what was not covered is told with the reason', () => {
    const lost = [{region: 'us', reason: 'us did not answer in time.'}];
    const part = {...TABLE, verdict: 'unknown' as const, covered: 0.4, accuracy: 1, reason: 'us did not answer in time.'};
    const text = auditText({...VIEW, verdict: 'unknown', coverage: {...VIEW.coverage, share: 0.4, lost}, tables: [part]}, OPTIONS);
    expect(text).toContain('us did not answer in time. 40.0 % of it was compared in every region.');
    expect(text).toContain('us could not be read to the end: us did not answer in time.');
  });

  it('a quick one says what it does not see', () => {
    const text = auditText({...VIEW, mode: 'quick', tables: [{...TABLE, hashed: {chunks: 1, of: 4000}}]}, OPTIONS).replaceAll(/\s+/gu, ' ');
    expect(text).toContain(
      'only what was written since the last audit was read, which goes back to a full one of 2026-11-28 13:31:30Z; damage below the transactions is not seen',
    );
  });
});

describe('a share', () => {
  it.each([
    [1, '100 %'],
    [0.9999999, '99.9999 %'],
    [0.9995, '99.9500 %'],
    [0.995, '99.50 %'],
    [0.5, '50.0 %'],
    [0, '0.0 %'],
  ])('%s reads %s', (share, text) => expect(percent(share)).toBe(text));
});

describe('the progress line', () => {
  const view = {table: 'public.orders', tables: 3, done: 1, rows: 500_000, of: 1_000_000, pausedBy: null};
  it('says how far, how long yet, and how fast', () =>
    expect(progressLine(view, 10_000, 200)).toBe(
      '████████░░░░░░░░ 50 %  about 10 s left  public.orders (2 of 3)  500,000 of ~1,000,000 rows, 50,000/s',
    ));
  it('goes by what this process has read', () => expect(progressLine(view, 10_000, 200, 400_000)).toContain('about 50 s left'));
  it('promises nothing at the beginning', () => expect(progressLine({...view, rows: 100}, 10_000, 200)).not.toContain('left'));
  it('says why it holds still', () =>
    expect(progressLine({...view, pausedBy: 'eu is 7.0 s behind us'}, 10_000, 200)).toContain('holding still: eu is 7.0 s behind us'));
  it('fits the terminal', () => expect(progressLine(view, 10_000, 40).length).toBeLessThanOrEqual(40));
});
