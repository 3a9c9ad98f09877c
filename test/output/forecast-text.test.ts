import {describe, expect, it} from 'vitest';
import {forecastHtml, isForecastReport} from '../../src/lib/output/forecast-html.ts';
import {plottedOf} from '../../src/lib/output/forecast-picture.ts';
import {type ForecastTextOptions, forecastText} from '../../src/lib/output/forecast-text.ts';
import {plainPaint} from '../../src/lib/output/paint.ts';
import {forecastsSample} from './sample-forecasts.ts';

const {document, made} = forecastsSample;
const pictures = made.map((one) => (one === null ? null : plottedOf(one)));
const text = (changes: Partial<ForecastTextOptions> = {}, of = document) =>
  forecastText(of, {columns: 80, now: Date.parse(document.at), paint: plainPaint(), rows: 0, pictures, ...changes} as ForecastTextOptions);

describe('forecastText', () => {
  it('says of few series the limit, the backtest beside the naive ones, and draws them', () => {
    expect(text()).toMatchSnapshot();
  });

  it('says the break that was found', () => {
    const [first] = document.series;
    const found = {at: '2026-11-20T00:00:00.000Z', kind: 'slope', jump: 0, slopeChangePerDay: 2.5} as const;
    const broken = {...document, series: [{...first, exhaustion: {...first?.exhaustion, break: found}}]} as typeof document;
    expect(text({plot: false}, broken)).toContain('  break on 2026-11-20: the growth of a day changed by +2.5 req/s\n');
    expect(forecastHtml({document: broken, made: [made[0] ?? null]})).toContain('There is a break on 2026-11-20');
  });

  it('names days by the clock of the zone: there one begins before midnight of UTC', () => {
    const [series] = forecastsSample.document.series;
    if (series === undefined) throw new Error('the sample has no series');
    const at = '2026-12-06T23:00:00.000Z';
    const daily = {
      ...series,
      grain: 'daily',
      timeZone: 'Europe/Berlin',
      crossing: {limit: 1400, p50At: null, p90At: at},
      exhaustion: null,
    } as const;
    const of = (count: number) => ({...forecastsSample.document, series: new Array<typeof daily>(count).fill(daily)});
    const text = (count: number) => forecastText(of(count), {columns: 120, paint: plainPaint(), now: 0, rows: 0});
    expect(text(1)).toContain('p90 on 2026-12-07, the mean does not meet it');
    expect(text(4)).toMatch(/ 2026-12-07$/m);
  });

  it('has a row for each of many', () => {
    const many = {...document, series: [...document.series, ...document.series]};
    expect(text({}, many)).toMatchSnapshot();
  });

  it('prints as many steps as were asked for, and no picture where none is wanted', () => {
    const lines = text({rows: 3, plot: false}).split('\n');
    expect(lines.filter((line) => /^ {2}2026-12-07 0[0-2]:00:00Z/.test(line))).toHaveLength(6);
    expect(lines.join('')).not.toMatch(/[⠁-⣿]/u);
    expect(lines).toContain('  21 more steps: --rows 24');
  });

  it.each([40, 60, 80, 120, 200])('is not wider than %d columns', (columns) => {
    for (const line of text({columns, rows: 2}).split('\n')) expect([...line].length, line).toBeLessThanOrEqual(columns);
  });
});

describe('forecastHtml', () => {
  const page = forecastHtml(forecastsSample);

  it('is one page that needs nothing beside it, with a picture and a backtest of each series', () => {
    expect(isForecastReport(page)).toBe(true);
    expect(page).not.toMatch(/<script|src="http|url\(/);
    expect(page.match(/<svg class="line wide"/g)).toHaveLength(2);
    expect(page).toContain('orders is not known: prom: no answer within 20000 ms');
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('takes no foreign text for markup', () => {
    const [first] = document.series;
    const evil = {...document, series: [{...first, name: '<script>alert(1)</script>'}]} as typeof document;
    expect(forecastHtml({document: evil, made: [made[0] ?? null]})).not.toContain('<script>');
  });

  it('knows reports of drills for another thing', () => {
    expect(isForecastReport(page.replace('<title>Capacity forecast', '<title>passed: drill'))).toBe(false);
  });
});
