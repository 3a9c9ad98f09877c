import {Flags} from '@oclif/core';
import {RegionCommand} from '../../kit/command.ts';
import {usageError} from '../../lib/errors.ts';

/** Flags that say what a file is say nothing of a fleet, and the other way round; what was kept has its own origins. */
function assertSource(flags: Readonly<Record<string, unknown>>): void {
  const isFile = flags['from-csv'] !== undefined;
  const wrong = (isFile ? ['series', 'region'] : ['freq', 'objective-mape']).find((name) => flags[name] !== undefined);
  if (wrong !== undefined)
    throw usageError(`--${wrong} is for ${isFile ? 'a fleet: leave --from-csv out' : 'a file: it needs --from-csv'}`);
  const tried = ['from-csv', 'origins', 'horizon'].find((name) => flags[name] !== undefined);
  if (flags.stored === true && tried !== undefined) throw usageError(`--stored scores what was kept: leave --${tried} out`);
}

export default class CapacityBacktest extends RegionCommand<typeof CapacityBacktest> {
  static override summary =
    'Measure how wrong forecasts are: on the history beside each model by itself, or those that were kept against what came.';
  static override description =
    `Reads the series of the fleet file, or the rows of a CSV file. At each rolling origin the whole forecast is made anew from what was known there, and compared with what came. The models by themselves are fitted once, before the first origin.
--stored scores the forecasts that capacity forecast made of the fleet: each step as often as it was forecast.
The CSV file has a header and a row for each series: its name and its values, the newest last. An empty cell between values is a gap.
Exit code: 0 measured, 1 the MAPE of a series misses the objective, 3 a series could not be had, or nothing could be measured.`;
  static override examples = [
    '<%= config.bin %> capacity backtest',
    '<%= config.bin %> capacity backtest --stored --json',
    '<%= config.bin %> capacity backtest --from-csv load.csv --horizon 14 --freq daily',
  ];
  static override flags = {
    series: Flags.string({multiple: true, helpValue: 'SERIES', description: 'only these series of the fleet file; default: all'}),
    region: Flags.string({multiple: true, helpValue: 'REGION', description: 'only in these regions; default: all'}),
    stored: Flags.boolean({description: 'score the forecasts that were kept'}),
    'from-csv': Flags.string({
      helpValue: 'FILE',
      description: 'series from the rows of this file; needs --horizon and --freq',
    }),
    horizon: Flags.integer({
      min: 1,
      max: 20_000,
      helpValue: 'STEPS',
      description: 'how many steps ahead; default: 168 hours, 28 days or 26 weeks',
    }),
    freq: Flags.option({
      options: ['hourly', 'daily', 'weekly'] as const,
      description: 'how long a step of the CSV file is',
    })(),
    origins: Flags.integer({min: 1, max: 100, description: 'how many rolling origins at most; default: 5'}),
    'objective-mape': Flags.integer({
      min: 0,
      helpValue: 'PERCENT',
      description: 'exit 1 where the MAPE of a series is above it; default: none, in a fleet capacity.objective',
    }),
    rows: Flags.integer({min: 1, default: 20, description: 'how many series are listed'}),
  };

  async run(): Promise<unknown> {
    const {'from-csv': file, rows} = this.flags;
    assertSource(this.flags);
    const {document, exit} = await (file === undefined ? this.#ofFleet() : this.#ofFile(file));
    const {capacityBacktestText} = await import('../../lib/output/capacity-backtest-text.ts');
    this.log(capacityBacktestText(document, {...(await this.layout()), rows}));
    this.verdict(exit);
    return document;
  }

  async #ofFleet() {
    const {series: names, region: regions, horizon, origins = 5, stored} = this.flags;
    const [{backtestFleet}, open] = await Promise.all([import('../../lib/operate/backtest-fleet.ts'), this.openFleet()]);
    return backtestFleet(open, {...{names, regions, horizon, origins, stored}, signal: this.interrupt.signal});
  }

  async #ofFile(file: string) {
    const {horizon, freq: grain, origins = 5, 'objective-mape': objectiveMape = null} = this.flags;
    if (horizon === undefined || grain === undefined)
      throw usageError('--from-csv needs --horizon and --freq: a CSV file does not say how long its steps are');
    const [{csvSeries}, {backtestSeries}, clock] = await Promise.all([
      import('../../lib/operate/csv-series.ts'),
      import('../../lib/operate/capacity-backtest.ts'),
      this.clock(),
    ]);
    const series = await csvSeries(file, grain);
    return backtestSeries(
      series.map((one) => ({series: one, horizon})),
      {origins, objectiveMape, now: clock.wall()},
    );
  }
}
