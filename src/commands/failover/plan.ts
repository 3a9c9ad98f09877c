import {Flags} from '@oclif/core';
import {overrideFlags, RunCommand} from '../../kit/run-command.ts';
import {EXIT} from '../../lib/exit-codes.ts';
import {gateOpen} from '../../lib/plan/plan-document.ts';

export default class FailoverPlan extends RunCommand<typeof FailoverPlan> {
  static override summary = 'Show what a failover would do, what it would lose, and which gates stand in the way. Nothing is written.';
  static override description = 'Exit code: 0 when every gate passes or was overridden by name, 77 when one refuses.';
  static override examples = ['<%= config.bin %> failover plan', '<%= config.bin %> failover plan --from us-east --to eu-west --json'];
  static override flags = {
    from: Flags.string({helpValue: 'REGION', description: 'the region to leave; default: the one that holds the primary'}),
    to: Flags.string({helpValue: 'REGION', description: 'the region to go to; default: the first fit one of its failover order'}),
    ...overrideFlags,
  };

  async run(): Promise<unknown> {
    const {from, to, override, reason} = this.flags;
    const open = await this.openFleet();
    const [{prepareFailover}, {planDocument}, {planText}] = await Promise.all([
      import('../../lib/operate/prepare.ts'),
      import('../../lib/plan/plan-document.ts'),
      import('../../lib/output/run-text.ts'),
    ]);
    const overrides = await this.overrides(override, reason);
    const {plan} = await prepareFailover(open, await this.world(open), {from, to, overrides, signal: this.interrupt.signal});
    const document = planDocument(plan);
    this.log(planText(document, await this.layout()));
    this.verdict(document.gates.every(gateOpen) ? EXIT.good : EXIT.refused);
    return document;
  }
}
