import {describe, expect, it} from 'vitest';
import {historyText} from '../../src/lib/output/history-text.ts';
import {matrixText} from '../../src/lib/output/matrix-text.ts';
import {plainPaint} from '../../src/lib/output/paint.ts';
import {AT} from '../health/samples.ts';
import {history, matrix} from './sample-documents.ts';

const at = (columns: number) => ({columns, paint: plainPaint(), now: AT});
const widest = (text: string) => Math.max(...text.split('\n').map((line) => line.length));

describe('health matrix', () => {
  it('has a row for each endpoint and a column for each vantage point', () => {
    expect(matrixText(matrix, at(80))).toMatchSnapshot();
  });

  it('is never wider than the terminal', () => {
    for (const columns of [40, 60, 80, 200]) expect(widest(matrixText(matrix, at(columns)))).toBeLessThanOrEqual(columns);
  });

  it('says how to get a second vantage point where there is none', () => {
    const alone = {...matrix, vantages: matrix.vantages.slice(0, 1)};
    expect(matrixText(alone, at(120))).toContain('1 vantage point (this machine): name others in the fleet file under vantages');
  });
});

describe('health history', () => {
  it('says when, from what to what, for how long and why', () => {
    expect(historyText(history, at(100))).toMatchSnapshot();
  });

  it('says when nobody has looked for a while', () => {
    const [first, ...others] = history.regions;
    const old = {...history, regions: [{...first!, lookedAt: '2026-11-20T10:00:00.000Z'}, ...others]};
    expect(historyText(old, at(120))).toContain('1 change shown, last looked at 1 d ago');
  });

  it('is never wider than the terminal', () => {
    for (const columns of [60, 80, 200]) expect(widest(historyText(history, at(columns)))).toBeLessThanOrEqual(columns);
  });

  it('says so where nothing has changed, and where nothing was ever checked', () => {
    const none = {
      ...history,
      entries: [],
      regions: [{region: 'eu', verdict: null, since: null, flappingSince: null, lookedAt: null, changes: 0}],
    };
    expect(historyText(none, at(80))).toBe('eu  nothing is known of it yet\n\nno change was noted since 2026-11-20 10:00:00Z, 1 d ago');
  });
});
