import {Flags} from '@oclif/core';
import {RegionCommand} from '../../kit/command.ts';

export default class ReplicationLag extends RegionCommand<typeof ReplicationLag> {
  static override summary =
    'Show how far every standby is behind: in bytes and in seconds, read from both ends, with the age of the reading.';
  static override description = 'Exit code: 0 good, 1 stalled or more than 30 s behind, 2 broken, 3 unknown.';
  static override examples = ['<%= config.bin %> replication lag', '<%= config.bin %> replication lag --store orders --json'];
  static override flags = {store: Flags.string({helpValue: 'STORE', description: 'only this store'})};

  async run(): Promise<unknown> {
    const [{readLag}, {lagText}, open] = await Promise.all([
      import('../../lib/operate/lag.ts'),
      import('../../lib/output/lag-text.ts'),
      this.openFleet(),
    ]);
    if (this.flags.store !== undefined) (await import('../../lib/fleet/lookup.ts')).storeOf(open.fleet, this.flags.store);
    const {document, exit} = await readLag(open, {store: this.flags.store, signal: this.interrupt.signal});
    this.log(lagText(document, await this.layout()));
    this.verdict(exit);
    return document;
  }
}
