import {Flags} from '@oclif/core';
import {overrideFlags, RunCommand, runFlags} from '../../kit/run-command.ts';

export default class FailoverRun extends RunCommand<typeof FailoverRun> {
  static override summary = 'Fail over: fence the old primary, promote, re-point, reroute, verify, and measure.';
  static override description =
    'Exit code: 0 succeeded, 1 succeeded with an objective missed, 2 failed, 75 another run holds the lease, 77 a gate refuses (nothing was done), 130 interrupted.';
  static override examples = ['<%= config.bin %> failover run', '<%= config.bin %> failover run --to eu-west --yes --json'];
  static override flags = {
    from: Flags.string({helpValue: 'REGION', description: 'the region to leave; default: the one that holds the primary'}),
    to: Flags.string({helpValue: 'REGION', description: 'the region to go to; default: the first fit one of its failover order'}),
    ...overrideFlags,
    ...runFlags,
  };

  async run(): Promise<unknown> {
    const {from, to, override, reason, yes} = this.flags;
    const [open, {prepareFailover}, {refuseShutGates}] = await Promise.all([
      this.openToRun(),
      import('../../lib/operate/prepare.ts'),
      import('../../lib/run/judge-gates.ts'),
    ]);
    const world = await this.world(open);
    const overrides = await this.overrides(override, reason);
    const {plan, marks} = await prepareFailover(open, world, {from, to, overrides, signal: this.interrupt.signal});
    refuseShutGates(plan);
    await this.confirm(plan, yes);
    return this.report(await this.conduct(open, world, plan, marks));
  }
}
