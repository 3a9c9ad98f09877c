import {Flags} from '@oclif/core';
import {overrideFlags, RunCommand, runFlags} from '../../kit/run-command.ts';

export default class FailbackRun extends RunCommand<typeof FailbackRun> {
  static override summary =
    'Go home: bring the returned region back as a standby, let it catch up, switch over without loss, compare all rows.';
  static override description =
    'Exit code: 0 succeeded, 1 succeeded with an objective missed, 2 failed, 75 another run holds the lease, 77 a gate refuses (nothing was done), 130 interrupted.';
  static override examples = ['<%= config.bin %> failback run', '<%= config.bin %> failback run --to us-east --yes --json'];
  static override flags = {
    to: Flags.string({helpValue: 'REGION', description: 'home; default: the region with the highest weight in the fleet file'}),
    ...overrideFlags,
    ...runFlags,
  };

  async run(): Promise<unknown> {
    const {to, override, reason, yes} = this.flags;
    const [open, {prepareFailback}, {refuseShutGates}] = await Promise.all([
      this.openToRun(),
      import('../../lib/operate/prepare.ts'),
      import('../../lib/run/judge-gates.ts'),
    ]);
    const world = await this.world(open);
    const overrides = await this.overrides(override, reason);
    const {plan, marks} = await prepareFailback(open, world, {to, overrides, signal: this.interrupt.signal});
    refuseShutGates(plan);
    await this.confirm(plan, yes);
    return this.report(await this.conduct(open, world, plan, marks));
  }
}
