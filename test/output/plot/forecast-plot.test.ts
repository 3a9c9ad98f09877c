import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {plainPaint} from '../../../src/lib/output/paint.ts';
import {forecastPlot, type Plotted} from '../../../src/lib/output/plot/forecast-plot.ts';
import {plottedWeek} from './plotted.ts';

const draw = (plotted: Plotted, width = 80, height = 14) => forecastPlot(plotted, {width, height}, plainPaint());

describe('forecastPlot', () => {
  it('draws what was seen, the forecast, both intervals, the break and the limit', () => {
    expect(draw(plottedWeek()).join('\n')).toMatchSnapshot();
  });

  it('leaves open what is not known', () => {
    const gap = draw(plottedWeek({breakX: null})).map((line) => [...line].slice(27, 29).join(''));
    expect(gap.slice(0, 14).join('').trim()).not.toMatch(/[⠁-⣿]/u);
  });

  it('says a limit that would press all else flat instead of drawing it', () => {
    const lines = draw(plottedWeek({limit: 9000}), 120);
    expect(lines.join('\n')).not.toContain('━');
    expect(lines.at(-1)).toContain('limit 9k is not in the picture');
  });

  it('counts steps where no times are known', () => {
    const {history, future} = plottedWeek();
    const lines = draw({
      ...plottedWeek({timeZone: null, breakX: null}),
      history: {...history, x: Float64Array.from({length: 168}, (_, i) => i + 1)},
      future: {...future, x: Float64Array.from({length: 48}, (_, i) => 169 + i)},
    });
    expect(lines.at(-2)?.trim().split(/ +/)).toEqual(['50', '100', '150', '200']);
  });

  it('paints by meaning: the limit as critical, the forecast as strong, the rest muted', () => {
    const paint = {...plainPaint(), critical: (text: string) => `<c>${text}</c>`, strong: (text: string) => `<s>${text}</s>`};
    const lines = forecastPlot(plottedWeek(), {width: 80, height: 14}, paint);
    expect(lines[0]).toContain('<c>━━━');
    expect(lines.join('')).toMatch(/<s>[⠁-⣿]+<\/s>/u);
  });

  it('is never wider or higher than asked, and has no figure that is none, whatever the values', () => {
    const value = fc.oneof(
      fc.double({min: -1e12, max: 1e12, noNaN: true}),
      fc.constantFrom(0, 1e300, -1e300, 1e-300, Number.NaN, Number.POSITIVE_INFINITY),
    );
    const values = (length: number) => fc.array(value, {minLength: length, maxLength: length}).map((each) => Float64Array.from(each));
    const known = fc.double({min: -1e300, max: 1e300, noNaN: true});
    const path = fc.record({mean: known, spread: fc.double({min: 0, max: 1e300, noNaN: true})});
    fc.assert(
      fc.property(
        fc.record({
          history: fc.integer({min: 0, max: 40}).chain(values),
          ahead: fc.array(path, {minLength: 1, maxLength: 30}),
          limit: fc.option(known),
          width: fc.integer({min: 40, max: 200}),
          height: fc.integer({min: 4, max: 30}),
        }),
        ({history, ahead, limit, width, height}) => {
          const at = (times: number) => Float64Array.from(ahead, ({mean, spread}) => mean + times * spread);
          const lines = forecastPlot(
            {
              ...{unit: 'u', limit, timeZone: 'UTC', breakX: null},
              history: {x: history.map((_, i) => i * 3_600_000), y: history},
              future: {
                x: Float64Array.from(ahead, (_, i) => (history.length + i) * 3_600_000),
                ...{mean: at(0), p10: at(-0.1), p90: at(0.1), lower95: at(-0.2), upper95: at(0.2)},
              },
            },
            {width, height},
            plainPaint(),
          );
          expect(lines).toHaveLength(height + 3);
          for (const line of lines) expect([...line].length).toBeLessThanOrEqual(width);
          expect(lines.join('')).not.toMatch(/NaN|Infinity|undefined/);
        },
      ),
    );
  });
});
