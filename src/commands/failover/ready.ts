import {Flags} from '@oclif/core';
import {RunCommand} from '../../kit/run-command.ts';

export default class FailoverReady extends RunCommand<typeof FailoverReady> {
  static override summary = 'Could we fail over now? Judges every gate for each way without any write, and keeps the history.';
  static override description =
    'Run it at least weekly, from a scheduler. Exit code: 0 every way is ready, 1 some way is not, 2 a region has no ready target, 3 no primary answers.';
  static override examples = ['<%= config.bin %> failover ready', '<%= config.bin %> failover ready --from us-east --json'];
  static override flags = {
    from: Flags.string({helpValue: 'REGION', description: 'only from this region'}),
    to: Flags.string({helpValue: 'REGION', description: 'only to this region'}),
  };

  async run(): Promise<unknown> {
    const {from, to} = this.flags;
    const [open, {readReady}, {readyText}] = await Promise.all([
      this.openFleet(),
      import('../../lib/operate/ready.ts'),
      import('../../lib/output/ready-text.ts'),
    ]);
    const {document, exit} = await readReady(open, await this.world(open), {from, to, signal: this.interrupt.signal});
    this.log(readyText(document, await this.layout()));
    this.verdict(exit);
    return document;
  }
}
