import {Flags} from '@oclif/core';
import {RegionCommand} from '../../kit/command.ts';

export default class CapacityBacktest extends RegionCommand<typeof CapacityBacktest> {
  static override summary = 'Try the forecast on the history: what it would have said from earlier origins, beside each model by itself.';
  static override description =
    `At each rolling origin the whole forecast is made anew from what was known there, and compared with what came. The models by themselves are fitted once, before the first origin.
The CSV file has a header and a row for each series: its name and its values, the newest last. An empty cell between values is a gap.
Exit code: 0 measured, 1 the MAPE of a series misses --objective-mape, 3 nothing could be measured.`;
  static override examples = [
    '<%= config.bin %> capacity backtest --from-csv web.csv --horizon 48 --freq hourly',
    '<%= config.bin %> capacity backtest --from-csv web.csv --horizon 14 --freq daily',
  ];
  static override flags = {
    'from-csv': Flags.string({required: true, helpValue: 'FILE', description: 'series from the rows of this file'}),
    horizon: Flags.integer({required: true, min: 1, max: 20_000, helpValue: 'STEPS', description: 'how many steps ahead'}),
    freq: Flags.option({options: ['hourly', 'daily', 'weekly'] as const, required: true, description: 'how long a step is'})(),
    origins: Flags.integer({helpValue: 'ORIGINS', min: 1, max: 100, default: 5, description: 'how many rolling origins at most'}),
    'objective-mape': Flags.integer({
      min: 0,
      helpValue: 'PERCENT',
      description: 'exit 1 where the MAPE of a series is above it; default: none',
    }),
    rows: Flags.integer({min: 1, helpValue: 'ROWS', default: 20, description: 'how many series are listed'}),
  };

  async run(): Promise<unknown> {
    const {'from-csv': file, horizon, freq: grain, origins, 'objective-mape': objectiveMape = null, rows} = this.flags;
    const [{csvSeries}, {backtestSeries}, {capacityBacktestText}, clock] = await Promise.all([
      import('../../lib/operate/csv-series.ts'),
      import('../../lib/operate/capacity-backtest.ts'),
      import('../../lib/output/capacity-backtest-text.ts'),
      this.clock(),
    ]);
    const {document, exit} = backtestSeries(await csvSeries(file, grain), {grain, horizon, origins, objectiveMape, now: clock.wall()});
    this.log(capacityBacktestText(document, {...(await this.layout()), rows}));
    this.verdict(exit);
    return document;
  }
}
