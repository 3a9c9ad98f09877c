import {Args, Flags} from '@oclif/core';
import {guardFlags} from '../../kit/move-command.ts';
import {RunCommand, runFlags} from '../../kit/run-command.ts';

export default class RunsResume extends RunCommand<typeof RunsResume> {
  static override summary = 'Go on with a run whose process ended before it did.';
  static override description =
    'What finished steps reached is asked again; an effect of which nobody knows whether it happened is looked up before it is repeated. Refused (77) when another hand has moved the primary meanwhile.';
  static override examples = ['<%= config.bin %> runs resume last', '<%= config.bin %> runs resume failover-20261121-020304-1a2b --json'];
  static override args = {run: Args.string({required: true, description: 'the id of the run, or `last`'})};
  static override flags = {
    reason: Flags.string({helpValue: 'TEXT', description: 'why a run that was left alone for over 15 minutes is taken up again'}),
    approve: Flags.boolean({description: 'approve, as who resumes it, the steps that one person may approve'}),
    ...guardFlags,
    format: runFlags.format,
  };

  async run(): Promise<unknown> {
    const [open, {findRun}] = await Promise.all([this.openFleet(), import('../../lib/operate/runs.ts')]);
    const run = await findRun(open, this.args.run);
    const {guard, 'wait-timeout': forMs} = this.flags;
    const how = {going: 'forward' as const, reason: this.flags.reason ?? null, approve: this.flags.approve};
    const world = await this.world(open, {resumed: true, guardForMs: guard ? (forMs ?? null) : 0});
    const conducted = await this.conductTakeUp(open, world, run, how);
    if (run.plan.kind !== 'drill') return this.report(conducted);
    const report = await this.drillReport(open, conducted);
    this.verdict(await this.showDrill(report));
    return report;
  }
}
