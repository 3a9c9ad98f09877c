import stringWidth from 'string-width';
import {describe, expect, it} from 'vitest';
import type {AnomaliesDocument} from '../../src/lib/operate/anomalies.ts';
import {anomaliesText} from '../../src/lib/output/anomalies-text.ts';
import {capacityBacktestText} from '../../src/lib/output/capacity-backtest-text.ts';
import {collectText} from '../../src/lib/output/collect-text.ts';
import {costText} from '../../src/lib/output/cost-text.ts';
import {forecastText} from '../../src/lib/output/forecast-text.ts';
import {plainPaint} from '../../src/lib/output/paint.ts';
import {surviveText} from '../../src/lib/output/survive-text.ts';
import type {TextOptions} from '../../src/lib/output/verdict-cell.ts';
import {anomalies} from './sample-anomalies.ts';
import {collectSample} from './sample-capacity.ts';
import {costSample, surviveSample} from './sample-capacity-plans.ts';
import {backtestSample, forecastSample} from './sample-forecasts.ts';

const layout = (columns: number) => ({columns, paint: plainPaint(), now: 0, rows: 24});
const ofMany = {...forecastSample, series: [...forecastSample.series, ...forecastSample.series]};
const ofTwo = {...surviveSample, combinations: [...surviveSample.combinations, ...surviveSample.combinations]};
const named = (name: string) => ({...backtestSample, series: backtestSample.series.map((one) => ({...one, name}))});

describe.each<[string, (options: TextOptions & {readonly rows: number}) => string]>([
  ['capacity forecast', (options) => forecastText(forecastSample, options)],
  ['capacity forecast of many', (options) => forecastText(ofMany, {...options, rows: 0})],
  ['capacity backtest', (options) => capacityBacktestText(backtestSample, options)],
  ['capacity backtest of a series with a wide name', (options) => capacityBacktestText(named('東京の注文 🏝️'), options)],
  ['capacity anomalies', (options) => anomaliesText(anomalies, options)],
  ['capacity survive', (options) => surviveText(surviveSample, options)],
  ['capacity survive of many', (options) => surviveText(ofTwo, options)],
  ['capacity cost', (options) => costText(costSample, options)],
  ['capacity collect', (options) => collectText(collectSample, options)],
])('%s', (_name, textAt) => {
  it.each([40, 60, 80, 120])('at %i columns: no figure is cut, no line is wider', (columns) => {
    const text = textAt(layout(columns));
    // What is cut ends in `…`; a figure or a unit before it would be one that says something else.
    expect(text).not.toMatch(/[\d%]…/u);
    for (const line of text.split('\n')) expect(stringWidth(line), line).toBeLessThanOrEqual(columns);
  });
});

it('names the columns that have no room, the figures that matter most stay', () => {
  const text = capacityBacktestText(backtestSample, layout(40));
  expect(text).toMatch(/^series +ahead +MAPE +MASE +in 95 %$/mu);
  expect(text).toContain('No room for: origins, wMAPE, sMAPE.');
  expect(capacityBacktestText(backtestSample, layout(120))).not.toContain('No room');
});

it('a remark and its time are told apart, and one that has no time has none', () => {
  const [series] = anomalies.series;
  const withRemarks = (remarks: AnomaliesDocument['series'][number]['remarks']) =>
    anomaliesText({...anomalies, series: [{...series!, alerts: [], remarks}]}, layout(200));
  const at = '2026-01-06T03:00:00.000Z';
  const own = {kind: 'duplicate', count: 1} as const;
  expect(withRemarks([{...own, from: at, to: at, says: 'each is scored.'}])).toContain('\n- each is scored (2026-01-06 03:00:00Z)');
  const none = new Date(0).toISOString();
  expect(withRemarks([{...own, from: none, to: none, says: 'there is no usable reading'}])).toMatch(/\n- there is no usable reading$/u);
});
