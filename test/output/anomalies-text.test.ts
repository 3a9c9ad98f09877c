import fc from 'fast-check';
import {expect, it} from 'vitest';
import {findAnomalies} from '../../src/lib/operate/anomalies.ts';
import {anomaliesText} from '../../src/lib/output/anomalies-text.ts';
import {colourPaint, plainPaint} from '../../src/lib/output/paint.ts';
import {diskSeries} from '../capacity/exhaustion/disks.ts';
import {anomalies} from './sample-anomalies.ts';

const options = {columns: 80, paint: plainPaint(), now: 0};

it('at 80 columns', () => {
  expect(anomaliesText(anomalies, options)).toMatchSnapshot();
});

it('is never wider than the terminal, coloured or not', async () => {
  const colours = await colourPaint();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes begin with an escape character.
  const codes = /\u001b\[\d+m/g;
  fc.assert(
    fc.property(fc.integer({min: 40, max: 240}), (columns) => {
      const plain = anomaliesText(anomalies, {...options, columns});
      for (const line of plain.split('\n')) expect([...line].length).toBeLessThanOrEqual(columns);
      expect(anomaliesText(anomalies, {...options, columns, paint: colours}).replaceAll(codes, '')).toBe(plain);
    }),
  );
});

it('says what is left out by --last, and that there is nothing', () => {
  const series = diskSeries(
    Float64Array.from({length: 500}, (_, i) => (i === 400 ? 99 : i % 5)),
    null,
  );
  const text = (lastMs: number) => anomaliesText(findAnomalies([series], lastMs).document, {...options, columns: 200});
  expect(text(3_600_000)).toBe(
    'disk in eu-west-1: no alert in the last 1 h, 1 earlier (500 readings, 2026-01-05 00:00:00Z to 2026-01-25 19:00:00Z)',
  );
  expect(text(100 * 3_600_000)).toContain('disk in eu-west-1: 1 alert in the last 4 d 4 h (500 readings');
  expect(anomaliesText(findAnomalies([diskSeries([], null)], null).document, options)).toBe('disk in eu-west-1: no reading.');
});
