import {RegionCommand} from '../kit/command.ts';

export default class Status extends RegionCommand<typeof Status> {
  static override summary = 'One screen: regions, roles, traffic, lag, the active run. Works with regions unreachable.';
  static override description = 'The exit code is that of the worst verdict: 0 healthy, 1 degraded or recovering, 2 unhealthy, 3 unknown.';
  static override examples = ['<%= config.bin %> status', '<%= config.bin %> status --json'];

  async run(): Promise<unknown> {
    const [{readStatus}, {statusText}, open] = await Promise.all([
      import('../lib/operate/status.ts'),
      import('../lib/output/status-text.ts'),
      this.openFleet(),
    ]);
    const {document, exit} = await readStatus(open, this.interrupt.signal);
    this.log(statusText(document, await this.layout()));
    this.verdict(exit);
    return document;
  }
}
