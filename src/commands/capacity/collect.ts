import {Flags} from '@oclif/core';
import {durationFlag, RegionCommand} from '../../kit/command.ts';
import {usageError} from '../../lib/errors.ts';

export default class CapacityCollect extends RegionCommand<typeof CapacityCollect> {
  static override summary = "Keep the current value of each series of the fleet file in regionctl's own history.";
  static override description =
    `For series whose source keeps less than forecasts need. A series whose source is of kind history is forecast from what was kept. Several may collect at the same time.
Exit code: 0 every value was read and kept, 1 some, 3 none. With --every that of the last round.`;
  static override examples = [
    '<%= config.bin %> capacity collect',
    '<%= config.bin %> capacity collect --series requests --region eu-west --json',
    '<%= config.bin %> capacity collect --every 1m',
    '<%= config.bin %> capacity collect --every 5m --format ndjson',
  ];
  static override flags = {
    series: Flags.string({multiple: true, helpValue: 'SERIES', description: 'only these series; default: all'}),
    region: Flags.string({multiple: true, helpValue: 'REGION', description: 'only in these regions; default: all, and the whole fleet'}),
    every: durationFlag({description: 'collect again and again, this often, until it is interrupted; at least 1s'}),
    format: Flags.option({
      options: ['text', 'ndjson'] as const,
      dependsOn: ['every'],
      description: 'print each round as a line of text or as a document; default: text',
    })(),
  };

  async run(): Promise<unknown> {
    const {series, region, every, format = 'text'} = this.flags;
    if (every !== undefined && this.jsonEnabled()) throw usageError('--json is one document, and --every has no end: use --format ndjson');
    if (every !== undefined && every < 1000) throw usageError('--every must be at least 1s');
    const open = await this.openFleet();
    const options = {names: series, regions: region, signal: this.interrupt.signal};
    const [{collect, collectEvery}, {collectLine, collectText}] = await Promise.all([
      import('../../lib/operate/collect.ts'),
      import('../../lib/output/collect-text.ts'),
    ]);
    if (every !== undefined) {
      const onRound = (document: Parameters<typeof collectLine>[0]): void => this.log(collectLine(document, format));
      this.verdict(await collectEvery(open, {...options, everyMs: every, onRound}));
      return undefined;
    }
    const {document, exit} = await collect(open, options);
    this.log(collectText(document, await this.layout()));
    this.verdict(exit);
    return document;
  }
}
