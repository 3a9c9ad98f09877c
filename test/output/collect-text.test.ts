import {describe, expect, it} from 'vitest';
import {collectLine, collectText} from '../../src/lib/output/collect-text.ts';
import {plainPaint} from '../../src/lib/output/paint.ts';
import {collectSample} from './sample-capacity.ts';

const options = {columns: 80, paint: plainPaint(), now: Date.parse(collectSample.at)};

describe('capacity collect for people', () => {
  it('shows each value, and why one is missing', () => {
    expect(collectText(collectSample, options)).toMatchInlineSnapshot(`
      "kept 2 of 3 values at 2026-03-02 12:00:00Z, for 400 d
      series    region     value  unit    source
      requests  us-east  812.346  req/s   prom
      requests  eu-west        –  req/s   prom-eu
      orders    all            4  orders  prom
        requests in eu-west: prom-eu: no answer within 20000 ms"
    `);
  });

  it.each([40, 60, 80, 120])('is never wider than %i columns', (columns) => {
    for (const line of collectText(collectSample, {...options, columns}).split('\n')) expect([...line].length).toBeLessThanOrEqual(columns);
  });

  it('says what stays though it is old, and why', () => {
    const heldBack = {count: 1234, from: '2026-03-02T12:00:00.000Z', to: '2031-03-02T12:00:00.000Z'};
    const says =
      '1,234 values older than 400 d stay: nothing was kept from 2026-03-02 12:00:00Z to 2031-03-02 12:00:00Z, which may be a clock that jumped';
    expect(collectText({...collectSample, heldBack}, {...options, columns: 200})).toContain(`  ${says}`);
    expect(collectLine({...collectSample, heldBack}, 'text')).toContain(`; ${says}`);
  });

  it('is one line for each round where it goes on', () => {
    expect(collectLine(collectSample, 'text')).toBe(
      '2026-03-02T12:00:00.000Z kept 2 of 3 values; requests in eu-west: prom-eu: no answer within 20000 ms',
    );
    const [row] = collectSample.series;
    expect(collectLine({...collectSample, kept: 1, missing: 0, series: [row!]}, 'text')).toBe('2026-03-02T12:00:00.000Z kept 1 value');
    expect(JSON.parse(collectLine(collectSample, 'ndjson'))).toEqual(collectSample);
  });
});
