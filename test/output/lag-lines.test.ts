import {describe, expect, it} from 'vitest';
import {lagWatchSummary, linkChangeLine, linkLines} from '../../src/lib/output/lag-lines.ts';
import {plainPaint} from '../../src/lib/output/paint.ts';
import {AT, BROKEN, CHANGE, lagView, linkNow} from '../ui/lag-samples.ts';

const WELL = linkNow('us-east', 'ap');
const OPENED = {...CHANGE, was: 'broken', breakerWas: 'warn', breaker: 'open', breakerReason: BROKEN.breaker.reason} as const;

describe('lines of a watch of links', () => {
  it('say how a link stands', () => {
    expect(linkLines(lagView([WELL, BROKEN]), 'text')).toEqual([
      [
        'orders us-east → ap',
        '2026-11-27 10:00:00Z  orders us-east → ap  streaming, 0 ms behind, 0 B to replay: ap has everything that us-east has.',
      ],
      [
        'orders us-east → eu-west',
        '2026-11-27 10:00:00Z  orders us-east → eu-west  broken, 1 min 11 s behind, 683.6 KiB to replay: us-east has no connection from eu-west: eu-west says: no route to host. Breaker open, at 60 s: 71 s behind; closes when it is below 30 s for 30 s.',
      ],
    ]);
  });

  it('say what has changed: the state, the breaker, or both', () => {
    const said = (change: typeof CHANGE) => linkChangeLine(change, 'text').replace('2026-11-27 09:58:30Z  orders us-east → eu-west  ', '');
    expect(said(CHANGE)).toBe('streaming → broken: us-east has no connection from eu-west.');
    expect(said(OPENED)).toBe('breaker open, at 60 s: 71 s behind; closes when it is below 30 s for 30 s.');
    expect(said({...OPENED, was: 'streaming'})).toBe(
      'streaming → broken: us-east has no connection from eu-west. Breaker open, at 60 s: 71 s behind; closes when it is below 30 s for 30 s.',
    );
  });

  it('are JSON with a type for scripts', () => {
    const [[, line = ''] = []] = linkLines(lagView([BROKEN]), 'ndjson');
    expect(JSON.parse(line)).toMatchObject({
      ...{type: 'link', fleet: 'shop', at: new Date(AT).toISOString(), store: 'orders', from: 'us-east', to: 'eu-west', state: 'broken'},
      ...{replayBytes: 700_000, seconds: 71, breaker: {state: 'open'}, percentiles: {p95Ms: 850, samples: 90}},
    });
    expect(JSON.parse(linkChangeLine(CHANGE, 'ndjson'))).toEqual({type: 'change', ...CHANGE});
  });

  it('hold nothing that a terminal would obey', () => {
    const evil = linkNow('us', 'eu', {row: {reason: 'no \u001B[2Jroute\nto host'}});
    const lines = [linkLines(lagView([evil]), 'text')[0]?.[1], linkChangeLine({...CHANGE, reason: evil.row.reason}, 'text')];
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    for (const line of lines) expect(line).not.toMatch(/[\u0000-\u001F]/u);
  });

  it.each([40, 80, 120, 200])('the summary has what the live view had, within %i columns', (columns) => {
    const view = lagView([WELL, BROKEN], {
      unread: [{store: 'carts', reason: 'it refused the connection'}],
      waiting: ['ledger'],
      at: AT + 3000,
    });
    const text = lagWatchSummary(view, {columns, paint: plainPaint(), now: AT});
    for (const line of text.split('\n')) expect([...line].length, line).toBeLessThanOrEqual(columns);
    const words = text.replaceAll(/\s+/gu, ' ');
    expect(words).toContain('breaker open, at 60 s: 71 s behind');
    expect(words).toContain('carts could not be read: it refused the connection');
    expect(words).toContain('ledger has not answered yet');
    if (columns >= 80) expect(words, 'the age is that of now').toContain(' 3 s ');
  });

  it('the summary of nothing says so', () => {
    expect(lagWatchSummary(lagView([]), {columns: 80, paint: plainPaint(), now: AT})).toBe('no replication link');
  });
});
