import {Args} from '@oclif/core';
import {RegionCommand} from '../../kit/command.ts';

export default class DrillShow extends RegionCommand<typeof DrillShow> {
  static override summary = 'Show one drill: its time line, what was measured, what surprised, and how it compares with earlier ones.';
  static override examples = [
    '<%= config.bin %> drill show',
    '<%= config.bin %> drill show region-lost',
    '<%= config.bin %> drill show drill-20261121-020304-1a2b --json',
  ];
  static override args = {
    run: Args.string({default: 'last', description: 'the id of a run or its beginning, `last`, or the name of a drill: its newest run'}),
  };

  async run(): Promise<unknown> {
    const [{showDrill}, {drillText}, open] = await Promise.all([
      import('../../lib/operate/drill-history.ts'),
      import('../../lib/output/drill-text.ts'),
      this.openFleet(),
    ]);
    const report = await showDrill(open, this.args.run);
    this.log(drillText(report, await this.layout()));
    return report;
  }
}
