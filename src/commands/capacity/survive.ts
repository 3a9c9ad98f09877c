import {Flags} from '@oclif/core';
import {durationFlag, RegionCommand} from '../../kit/command.ts';
import {usageError} from '../../lib/errors.ts';

const MINUTE_MS = 60_000;

export default class CapacitySurvive extends RegionCommand<typeof CapacitySurvive> {
  static override summary = 'Show whether the others can carry what a region has when it is lost, and which limit breaks first.';
  static override description =
    `Reads the loads of capacity.series that move with traffic, gives each lost region's part to those that take it (by the weights that routers have now, then by failoverOrder; a data class only where it may be; nothing to a region that is drained, or down by its last check), and compares the p90 of the forecast of each sum with its limit, over the time that a failover lasts. The same function is the gate survivors-capacity of plans.
Exit code: 0 all survive, 1 tight, 2 a limit breaks, 3 unknown: a series or a limit is missing.`;
  static override examples = [
    '<%= config.bin %> capacity survive',
    '<%= config.bin %> capacity survive --lose eu-west-1',
    '<%= config.bin %> capacity survive --lose eu-west-1,us-east-1 --window 12h --json',
    '<%= config.bin %> capacity survive --depth 2',
  ];
  static override flags = {
    lose: Flags.string({
      multiple: true,
      delimiter: ',',
      helpValue: 'REGION,…',
      description: 'these regions, all at once; default: each region by itself',
    }),
    depth: Flags.option({
      options: ['1', '2'] as const,
      exclusive: ['lose'],
      description: '2 = also every two regions at once; default: 1',
    })(),
    window: durationFlag({description: 'how long the others have to carry it; default: as the fleet file says, or 4h'}),
  };

  async run(): Promise<unknown> {
    const {lose = [], depth, window: windowMs} = this.flags;
    if (windowMs !== undefined && windowMs < MINUTE_MS) throw usageError('--window must be at least 1m');
    const [{judgeSurvival}, {surviveText}, open] = await Promise.all([
      import('../../lib/operate/survive.ts'),
      import('../../lib/output/survive-text.ts'),
      this.openFleet(),
    ]);
    const options = {lose, depth: depth === '2' ? 2 : 1, windowMs, signal: this.interrupt.signal} as const;
    const {document, exit} = await judgeSurvival(open, options);
    this.log(surviveText(document, await this.layout()));
    this.verdict(exit);
    return document;
  }
}
