import {Args} from '@oclif/core';
import {RunCommand, runFlags} from '../../kit/run-command.ts';

export default class RunsResume extends RunCommand<typeof RunsResume> {
  static override summary = 'Go on with a run whose process ended before it did.';
  static override description =
    'What finished steps reached is asked again; an effect of which nobody knows whether it happened is looked up before it is repeated.';
  static override examples = ['<%= config.bin %> runs resume last', '<%= config.bin %> runs resume failover-20261121-020304-1a2b --json'];
  static override args = {run: Args.string({required: true, description: 'the id of the run, or `last`'})};
  static override flags = {format: runFlags.format};

  async run(): Promise<unknown> {
    const [open, {findRun}] = await Promise.all([this.openFleet(), import('../../lib/operate/runs.ts')]);
    const {runId, plan} = await findRun(open, this.args.run);
    return this.report(await this.conductResume(open, await this.world(open, true), runId, plan));
  }
}
