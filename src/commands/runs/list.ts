import {RegionCommand} from '../../kit/command.ts';

export default class RunsList extends RegionCommand<typeof RunsList> {
  static override summary = 'List every journaled run of the fleet, newest first.';
  static override examples = ['<%= config.bin %> runs list', '<%= config.bin %> runs list --json'];

  async run(): Promise<unknown> {
    const [{listRuns}, {runListText}, open] = await Promise.all([
      import('../../lib/operate/runs.ts'),
      import('../../lib/output/run-text.ts'),
      this.openFleet(),
    ]);
    const runs = await listRuns(open);
    this.log(
      runListText(
        runs.map((run) => ({...run, startedAt: Date.parse(run.startedAt)})),
        await this.layout(),
      ),
    );
    return {runs};
  }
}
