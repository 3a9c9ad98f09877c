import {Flags} from '@oclif/core';
import {RegionCommand} from '../../kit/command.ts';
import {usageError} from '../../lib/errors.ts';

/** Flags that say what a file is say nothing of a fleet, and the other way round. */
function assertSource(flags: Readonly<Record<string, unknown>>): void {
  const ofFile = ['freq', 'objective-mape', 'format'];
  const ofFleet = ['series', 'region', 'over', 'growth'];
  const isFile = flags['from-csv'] !== undefined;
  const wrong = (isFile ? ofFleet : ofFile).find((name) => flags[name] !== undefined);
  if (wrong !== undefined)
    throw usageError(`--${wrong} is for ${isFile ? 'a fleet: leave --from-csv out' : 'a file: it needs --from-csv'}`);
}

export default class CapacityForecast extends RegionCommand<typeof CapacityForecast> {
  static override summary =
    'Forecast series with intervals, when they meet their limits, and how wrong the same models were on the history.';
  static override description =
    `Reads the series of the fleet file, or the rows of a CSV file. Every model is tried on earlier parts of the history first; what was chosen, and how it did beside the seasonal naive forecast and the last value, is printed with the forecast.
Further ahead than two weeks (--over) the highest hour of each day is forecast. --growth multiplies the path along a steady growth. Forecasts of a fleet are kept for capacity backtest --stored.
The CSV file has a header and a row for each series: its name and its values, the newest last. An empty cell between values is a gap. --format forecasts prints {"NAME": {"mean": [], "lower95": [], "upper95": []}} as JSON.
Exit code: 0 forecast, 1 a backtest misses the objective or a limit is met, 3 a series could not be had, has no known value or has fallen silent, or no MAPE could be measured for an objective. All that could be forecast is printed with each of them.`;
  static override examples = [
    '<%= config.bin %> capacity forecast',
    '<%= config.bin %> capacity forecast --series requests --region eu-west --plot',
    '<%= config.bin %> capacity forecast --growth 10x --over 18mo --report growth.html',
    '<%= config.bin %> capacity forecast --from-csv load.csv --horizon 48 --freq hourly',
  ];
  static override flags = {
    series: Flags.string({multiple: true, helpValue: 'SERIES', description: 'only these series of the fleet file; default: all'}),
    region: Flags.string({multiple: true, helpValue: 'REGION', description: 'only in these regions; default: all'}),
    horizon: Flags.integer({
      min: 1,
      max: 20_000,
      helpValue: 'STEPS',
      description: 'how many steps ahead; default: 168 hours, 28 days or 26 weeks',
    }),
    over: Flags.string({helpValue: 'SPAN', exclusive: ['horizon'], description: 'how far ahead: 90d, 26w, 18mo or 2y'}),
    growth: Flags.string({
      helpValue: 'GROWTH',
      description: 'multiply along a growth: 10x (by the end of --over), or 5%/mo',
    }),
    'from-csv': Flags.string({
      helpValue: 'FILE',
      description: 'series from the rows of this file; needs --horizon and --freq',
    }),
    freq: Flags.option({
      options: ['hourly', 'daily', 'weekly'] as const,
      description: 'how long a step of the CSV file is',
    })(),
    'objective-mape': Flags.integer({
      min: 0,
      helpValue: 'PERCENT',
      description: 'exit 1 where the MAPE of a backtest is above it; default: none, in a fleet capacity.objective',
    }),
    rows: Flags.integer({min: 0, description: 'how many steps of each series are printed as figures; default: none'}),
    plot: Flags.boolean({allowNo: true, description: 'draw each series; default: where there are three at most'}),
    report: Flags.string({
      helpValue: 'FILE',
      description: 'leave it there as an HTML page too; an earlier report is replaced, another file is not',
    }),
    format: Flags.option({options: ['forecasts'] as const, exclusive: ['plot', 'rows'], description: 'print the paths alone, as JSON'})(),
  };

  async run(): Promise<unknown> {
    const {rows = 0, plot, report, format} = this.flags;
    assertSource(this.flags);
    if (report !== undefined) await (await import('../../lib/operate/forecast-report.ts')).checkForecastReport(report);
    const file = this.flags['from-csv'];
    const {document, made, exit, notKept} = await (file === undefined ? this.#ofFleet() : this.#ofFile(file));
    if (notKept !== null) this.logToStderr(notKept);
    this.verdict(exit);
    if (report !== undefined) await (await import('../../lib/operate/forecast-report.ts')).writeForecastReport(report, {document, made});
    if (format === 'forecasts') {
      const paths = (await import('../../lib/output/forecasts.ts')).forecastPaths(document);
      this.log(JSON.stringify(paths));
      return paths;
    }
    if (this.jsonEnabled()) return document;
    const [{forecastText}, {plottedOf}] = await Promise.all([
      import('../../lib/output/forecast-text.ts'),
      import('../../lib/output/forecast-picture.ts'),
    ]);
    const pictures = made.map((one) => (one === null ? null : plottedOf(one)));
    this.log(forecastText(document, {...(await this.layout()), rows, plot, pictures}));
    if (report !== undefined) this.logToStderr(`report: ${report}`);
    return document;
  }

  async #ofFleet() {
    const {series: names, region: regions, horizon, over, growth} = this.flags;
    const [{forecastFleet}, open] = await Promise.all([import('../../lib/operate/forecast-fleet.ts'), this.openFleet()]);
    return forecastFleet(open, {...{names, regions, horizon, over, growth}, signal: this.interrupt.signal});
  }

  async #ofFile(file: string) {
    const {horizon, freq: grain, 'objective-mape': objectiveMape = null} = this.flags;
    if (horizon === undefined || grain === undefined)
      throw usageError('--from-csv needs --horizon and --freq: a CSV file does not say how long its steps are');
    const [{csvSeries}, {forecastSeries}, clock] = await Promise.all([
      import('../../lib/operate/csv-series.ts'),
      import('../../lib/operate/forecast.ts'),
      this.clock(),
    ]);
    const series = await csvSeries(file, grain);
    const tasks = series.map((one) => ({series: one, horizon}));
    return {...forecastSeries(tasks, {objectiveMape, now: clock.wall()}), notKept: null};
  }
}
