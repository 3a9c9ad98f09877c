import {Flags} from '@oclif/core';
import {RegionCommand} from '../../kit/command.ts';

export default class ReplicationSlots extends RegionCommand<typeof ReplicationSlots> {
  static override summary = 'Show what keeps log for whom on every member, how much, and how long until it is lost.';
  static override description =
    'Also finds slots that nobody uses. Exit code: 0 good or no slots, 1 unused or at risk, 2 lost or less than 10 minutes left, 3 unknown.';
  static override examples = ['<%= config.bin %> replication slots', '<%= config.bin %> replication slots --store orders --json'];
  static override flags = {store: Flags.string({helpValue: 'STORE', description: 'only this store'})};

  async run(): Promise<unknown> {
    const [{readSlots}, {slotsText}, open] = await Promise.all([
      import('../../lib/operate/slots.ts'),
      import('../../lib/output/slots-text.ts'),
      this.openFleet(),
    ]);
    if (this.flags.store !== undefined) (await import('../../lib/fleet/lookup.ts')).storeOf(open.fleet, this.flags.store);
    const {document, exit} = await readSlots(open, {store: this.flags.store, signal: this.interrupt.signal});
    this.log(slotsText(document, await this.layout()));
    this.verdict(exit);
    return document;
  }
}
