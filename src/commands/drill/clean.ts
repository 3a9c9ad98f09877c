import {Flags} from '@oclif/core';
import {RegionCommand} from '../../kit/command.ts';

export default class DrillClean extends RegionCommand<typeof DrillClean> {
  static override summary =
    'Find whatever is left of drills: heal their faults and prove it, and remove what their witnesses left in stores.';
  static override description =
    'Asks the record of faults, the fault injector, and the endpoints themselves. Heals also where nothing can be recorded. Exit code: 0 nothing is left, 1 something is (with --dry-run, or a store that could not be cleaned), 2 it is not proven that a fault has ended, 3 it cannot be told, 75 a run acts on the fleet now.';
  static override examples = ['<%= config.bin %> drill clean', '<%= config.bin %> drill clean --dry-run --json'];
  static override flags = {'dry-run': Flags.boolean({description: 'only say what is left'})};

  async run(): Promise<unknown> {
    const [{cleanFaults}, {cleanText}, open] = await Promise.all([
      import('../../lib/operate/clean.ts'),
      import('../../lib/output/clean-text.ts'),
      this.openFleet(),
    ]);
    const {document, exit} = await cleanFaults(open, {signal: this.interrupt.signal, dryRun: this.flags['dry-run']});
    this.log(cleanText(document, await this.layout()));
    this.verdict(exit);
    return document;
  }
}
