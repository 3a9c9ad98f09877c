import {Flags} from '@oclif/core';
import {durationFlag, RegionCommand} from '../../kit/command.ts';

export default class HealthHistory extends RegionCommand<typeof HealthHistory> {
  static override summary = 'Show when each region changed, and why.';
  static override description = 'Asks nothing: it reads what checks and live views on this machine have noted.';
  static override examples = [
    '<%= config.bin %> health history',
    '<%= config.bin %> health history --region us-east --since 2d',
    '<%= config.bin %> health history --json',
  ];
  static override flags = {
    region: Flags.string({description: 'only this region', helpValue: 'REGION'}),
    since: durationFlag({description: 'how far back; default: 7d'}),
  };

  async run(): Promise<unknown> {
    const [{healthHistory}, {historyText}, open] = await Promise.all([
      import('../../lib/health/history.ts'),
      import('../../lib/output/history-text.ts'),
      this.openFleet(),
    ]);
    const {region, since = 7 * 86_400_000} = this.flags;
    const at = open.clock.wall();
    const document = healthHistory(open.fleet, await open.state(), {region, at, since: at - since});
    this.log(historyText(document, await this.layout()));
    return document;
  }
}
