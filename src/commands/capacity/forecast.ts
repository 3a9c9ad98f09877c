import {Flags} from '@oclif/core';
import {RegionCommand} from '../../kit/command.ts';

export default class CapacityForecast extends RegionCommand<typeof CapacityForecast> {
  static override summary = 'Forecast series with intervals, and show how wrong the same models were on the history.';
  static override description =
    `Every model is tried on earlier parts of the history first; what was chosen, and how it did beside the seasonal naive forecast and the last value, is printed with the forecast.
The CSV file has a header and a row for each series: its name and its values, the newest last. An empty cell between values is a gap.
--format forecasts prints {"NAME": {"mean": [], "lower95": [], "upper95": []}} as JSON.
Exit code: 0 forecast, 1 a backtest misses --objective-mape, 3 nothing could be measured.`;
  static override examples = [
    '<%= config.bin %> capacity forecast --from-csv web.csv --horizon 48 --freq hourly',
    '<%= config.bin %> capacity forecast --from-csv web.csv --horizon 13 --freq weekly',
  ];
  static override flags = {
    'from-csv': Flags.string({required: true, helpValue: 'FILE', description: 'series from the rows of this file'}),
    horizon: Flags.integer({required: true, min: 1, max: 20_000, helpValue: 'STEPS', description: 'how many steps ahead'}),
    freq: Flags.option({options: ['hourly', 'daily', 'weekly'] as const, required: true, description: 'how long a step is'})(),
    'objective-mape': Flags.integer({
      min: 0,
      helpValue: 'PERCENT',
      description: 'exit 1 where the MAPE of a backtest is above it; default: none',
    }),
    rows: Flags.integer({min: 1, helpValue: 'ROWS', default: 24, description: 'how many steps of each series are printed'}),
    format: Flags.option({options: ['forecasts'] as const, description: 'print the paths alone, as JSON'})(),
  };

  async run(): Promise<unknown> {
    const {'from-csv': file, horizon, freq: grain, 'objective-mape': objectiveMape = null, format, rows} = this.flags;
    const [{csvSeries}, {forecastSeries}, clock] = await Promise.all([
      import('../../lib/operate/csv-series.ts'),
      import('../../lib/operate/forecast.ts'),
      this.clock(),
    ]);
    const {document, exit} = forecastSeries(await csvSeries(file, grain), {grain, horizon, objectiveMape, now: clock.wall()});
    this.verdict(exit);
    if (format === 'forecasts') {
      const paths = (await import('../../lib/output/forecasts.ts')).forecastPaths(document);
      this.log(JSON.stringify(paths));
      return paths;
    }
    if (!this.jsonEnabled()) {
      const {forecastText} = await import('../../lib/output/forecast-text.ts');
      this.log(forecastText(document, {...(await this.layout()), rows}));
    }
    return document;
  }
}
