import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {capacityBacktestText} from '../../src/lib/output/capacity-backtest-text.ts';
import {formatFigure, formatPercent} from '../../src/lib/output/figures.ts';
import {forecastText} from '../../src/lib/output/forecast-text.ts';
import {colourPaint, plainPaint} from '../../src/lib/output/paint.ts';
import {backtestSample, forecastSample} from './sample-forecasts.ts';

const options = {columns: 80, paint: plainPaint(), now: Date.parse(forecastSample.at), rows: 24};

describe('figures', () => {
  it.each([
    [0, '0'],
    [12_044.5, '12,045'],
    [1234.56, '1,235'],
    [18.114, '18.11'],
    [0.04213, '0.04213'],
    [-7.5, '-7.5'],
    [1.5e21, '1.50e+21'],
    [3e-9, '3.00e-9'],
    [null, '–'],
    [Number.NaN, '–'],
  ])('%d is %s', (value, text) => {
    expect(formatFigure(value)).toBe(text);
  });

  it('percent have three digits', () => {
    expect([3.214, 41.26, 140.2, null].map(formatPercent)).toEqual(['3.21 %', '41.3 %', '140 %', '–']);
  });
});

describe.each([
  ['capacity forecast', (columns: number, paint = options.paint) => forecastText(forecastSample, {...options, columns, paint})],
  ['capacity backtest', (columns: number, paint = options.paint) => capacityBacktestText(backtestSample, {...options, columns, paint})],
] as const)('%s for people', (_name, textAt) => {
  it.each([80, 140])('at %i columns', (columns) => {
    expect(textAt(columns)).toMatchSnapshot();
  });

  it('is never wider than the terminal, coloured or not', async () => {
    const colours = await colourPaint();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes begin with an escape character.
    const codes = /\u001b\[\d+m/g;
    fc.assert(
      fc.property(fc.integer({min: 40, max: 200}), (columns) => {
        const plain = textAt(columns);
        for (const line of plain.split('\n')) expect([...line].length).toBeLessThanOrEqual(columns);
        expect(textAt(columns, colours).replaceAll(codes, '')).toBe(plain);
      }),
    );
  });
});

it('shows as many rows as asked for, and how to see the others', () => {
  const text = forecastText(forecastSample, {...options, rows: 1});
  expect(text).toContain('23 more steps: --rows 24');
  expect(text.match(/^ {2}2026-12-07 0/gm)).toHaveLength(2);
});

it('says when no series is long enough for a backtest', () => {
  const document = {...backtestSample, models: [], series: backtestSample.series.map((one) => ({...one, origins: 0}))};
  expect(capacityBacktestText(document, options)).toContain('1 of 1 series is too short for a backtest.');
});
