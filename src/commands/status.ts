import {Flags} from '@oclif/core';
import {RegionCommand} from '../kit/command.ts';

export default class Status extends RegionCommand<typeof Status> {
  static override summary = 'One screen: regions, roles, traffic, lag, the active run. Works with regions unreachable.';
  static override description = 'The exit code is that of the worst verdict: 0 healthy, 1 degraded or recovering, 2 unhealthy, 3 unknown.';
  static override examples = ['<%= config.bin %> status', '<%= config.bin %> status --json', '<%= config.bin %> status --cached'];
  static override flags = {
    cached: Flags.boolean({
      description:
        'the last picture that status or a dashboard took here, at once: nobody is asked; exit code 3 once it is over a minute old',
    }),
  };

  async run(): Promise<unknown> {
    const [{statusText}, {document, exit}] = await Promise.all([
      import('../lib/output/status-text.ts'),
      this.flags.cached ? this.#kept() : this.#now(),
    ]);
    this.log(statusText(document, await this.layout()));
    this.verdict(exit);
    return document;
  }

  async #now() {
    const [{readStatus}, open] = await Promise.all([import('../lib/operate/status.ts'), this.openFleet()]);
    return readStatus(open, this.interrupt.signal);
  }

  /** Without opening the fleet: nothing in it is asked, and its secrets may be elsewhere. */
  async #kept() {
    const [{cachedStatus}, {findFleetFile}] = await Promise.all([import('../lib/operate/status-cache.ts'), import('../lib/fleet/find.ts')]);
    const file = await findFleetFile(process.cwd(), this.flags.fleet);
    return cachedStatus({file, defaultStateDir: this.config.dataDir, now: Date.now()});
  }
}
