import {Flags} from '@oclif/core';
import {durationFlag, RegionCommand} from '../../kit/command.ts';
import {pastFlag} from '../../kit/duration-flag.ts';
import {usageError} from '../../lib/errors.ts';

export default class CapacityAnomalies extends RegionCommand<typeof CapacityAnomalies> {
  static override summary = 'Say when a series was unlike its own past: since when, what was seen, what was expected, and why.';
  static override description =
    `Looks at the series of the fleet file, step by step, or at the readings of a CSV file. Each is scored from 0 to 1 by those before it only, so that a file gives the same scores as a live series; from 0.5 on it is an anomaly. Anomalies that follow each other are one alert. Times without a zone are taken as UTC.
Exit code: 0 no anomaly, 1 anomalies, 3 fewer than 100 readings, or a series could not be had or has fallen silent, 64 a row that cannot be read.`;
  static override examples = [
    '<%= config.bin %> capacity anomalies --last 1d',
    '<%= config.bin %> capacity anomalies --every 5m --format ndjson',
    '<%= config.bin %> capacity anomalies --from-csv orders.csv',
    '<%= config.bin %> capacity anomalies --from-csv orders.csv --last 1d --json',
    '<%= config.bin %> capacity anomalies --from-csv orders.csv --scores scores.csv',
  ];
  static override flags = {
    series: Flags.string({multiple: true, helpValue: 'SERIES', description: 'only these series of the fleet file; default: all'}),
    region: Flags.string({multiple: true, helpValue: 'REGION', description: 'only in these regions; default: all'}),
    'from-csv': Flags.string({
      exclusive: ['series', 'region'],
      helpValue: 'FILE',
      description: 'readings from this file instead, oldest first: a header row, then timestamp,value in each row',
    }),
    scores: Flags.string({
      helpValue: 'FILE',
      dependsOn: ['from-csv'],
      description: 'also write each row with its anomaly_score; an earlier file of scores is replaced, another file is not',
    }),
    every: durationFlag({
      description: 'look at the fleet again and again, this often, and print each alert once, until it is interrupted; at least 10s',
    }),
    format: Flags.option({
      options: ['text', 'ndjson'] as const,
      dependsOn: ['every'],
      description: 'print each alert of --every as a line of text or as a document; default: text',
    })(),
    last: pastFlag({description: 'only alerts that go on into so much time before the newest reading; default: all'}),
  };

  async run(): Promise<unknown> {
    const {'from-csv': file, scores = null, last: lastMs = null, every: everyMs} = this.flags;
    if (everyMs !== undefined) return this.#watch(everyMs);
    const {signal} = this.interrupt;
    const {anomaliesText} = await import('../../lib/output/anomalies-text.ts');
    const {document, exit} = await (file === undefined
      ? this.#ofFleet(lastMs)
      : (await import('../../lib/operate/anomalies-in-file.ts')).findAnomaliesInFile({file, scores, lastMs, signal}));
    this.log(anomaliesText(document, await this.layout()));
    this.verdict(exit);
    return document;
  }

  async #watch(everyMs: number): Promise<undefined> {
    const {series: names, region: regions, format = 'text', 'from-csv': file, last} = this.flags;
    if (this.jsonEnabled()) throw usageError('--json is one document, and --every has no end: use --format ndjson');
    if (file !== undefined || last !== undefined)
      throw usageError(`--every looks at a fleet as it goes: leave --${file === undefined ? 'last' : 'from-csv'} out`);
    if (everyMs < 10_000) throw usageError('--every must be at least 10s');
    const [{watchAnomalies}, {anomalyLine}, open] = await Promise.all([
      import('../../lib/operate/anomalies-live.ts'),
      import('../../lib/output/anomalies-text.ts'),
      this.openFleet(),
    ]);
    const onEvent = (event: Parameters<typeof anomalyLine>[0]): void => this.log(anomalyLine(event, format));
    this.verdict(await watchAnomalies(open, {...{names, regions, everyMs, onEvent}, signal: this.interrupt.signal}));
    return undefined;
  }

  async #ofFleet(lastMs: number | null) {
    const {series: names, region: regions} = this.flags;
    const [{findAnomaliesInFleet}, open] = await Promise.all([import('../../lib/operate/anomalies-in-fleet.ts'), this.openFleet()]);
    return findAnomaliesInFleet(open, {names, regions, lastMs, signal: this.interrupt.signal});
  }
}
