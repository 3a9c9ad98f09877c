import {Flags} from '@oclif/core';
import {RegionCommand} from '../../kit/command.ts';

export default class DrillClean extends RegionCommand<typeof DrillClean> {
  static override summary = 'Find whatever is left of the faults of drills, heal it, and prove that it is gone.';
  static override description =
    'Asks the record of faults, the fault injector, and the endpoints themselves. Exit code: 0 no fault is left, 1 some is (with --dry-run), 2 it is not proven that it has ended, 3 it cannot be told, 75 a run acts on the fleet now.';
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
