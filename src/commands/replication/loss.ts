import {Flags} from '@oclif/core';
import {RegionCommand} from '../../kit/command.ts';

export default class ReplicationLoss extends RegionCommand<typeof ReplicationLoss> {
  static override summary = 'Show what promoting a region as it stands now would lose, per store, and how sure that is.';
  static override description =
    'A failover loses less than a bare promotion: it seals the standbys and lets the target catch up first (see `failover plan`). Exit code: 0 nothing blocks, 1 an objective would be missed, 3 unknown.';
  static override examples = ['<%= config.bin %> replication loss --to eu-west', '<%= config.bin %> replication loss --to ap --json'];
  static override flags = {to: Flags.string({required: true, helpValue: 'REGION', description: 'the region that would be promoted'})};

  async run(): Promise<unknown> {
    const [{readLoss}, {lossText}, open] = await Promise.all([
      import('../../lib/operate/loss.ts'),
      import('../../lib/output/loss-text.ts'),
      this.openFleet(),
    ]);
    const {document, exit} = await readLoss(open, this.flags.to, this.interrupt.signal);
    this.log(lossText(document, await this.layout()));
    this.verdict(exit);
    return document;
  }
}
