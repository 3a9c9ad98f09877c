import {Args} from '@oclif/core';
import {RegionCommand} from '../../kit/command.ts';

export default class RunsShow extends RegionCommand<typeof RunsShow> {
  static override summary = 'Show one run: outcome, steps, phases, what was measured, overrides.';
  static override examples = ['<%= config.bin %> runs show failover-20261121-020304-1a2b', '<%= config.bin %> runs show last --json'];
  static override args = {run: Args.string({required: true, description: 'the id of the run, or `last`'})};

  async run(): Promise<unknown> {
    const [{showRun}, {runText}, open] = await Promise.all([
      import('../../lib/operate/runs.ts'),
      import('../../lib/output/run-text.ts'),
      this.openFleet(),
    ]);
    const document = await showRun(open, this.args.run);
    this.log(runText(document, await this.layout()));
    return document;
  }
}
