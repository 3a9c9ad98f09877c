import {Args, Flags} from '@oclif/core';
import {durationFlag, RegionCommand} from '../../kit/command.ts';

export default class ConsistencyExplain extends RegionCommand<typeof ConsistencyExplain> {
  static override summary = 'Show one row as every region has it, and why the versions differ.';
  static override description =
    `Clocks and policies of a table are declared in the fleet file (stores.NAME.consistency.tables); commit times and replication origins are read where the servers keep them.
Exit code: 0 the same everywhere, or once replication had caught up, 1 it differs, 3 unknown: a region could not be read, or did not catch up.`;
  static override examples = [
    '<%= config.bin %> consistency explain 42 --table public.orders',
    `<%= config.bin %> consistency explain '["eu-west","42"]' --table shop.carts --json`,
  ];
  static override args = {
    key: Args.string({
      required: true,
      description: 'the key as consistency audit prints it; of several columns: a JSON array of their texts',
    }),
  };
  static override flags = {
    table: Flags.string({required: true, helpValue: 'TABLE', description: 'its table, as schema.table'}),
    store: Flags.string({helpValue: 'STORE', description: 'its store; may be left out where only one can be compared'}),
    'settle-time': durationFlag({description: 'how long replication may take to catch up before a difference is read again; default: 10s'}),
  };

  async run(): Promise<unknown> {
    const {table, store, 'settle-time': settleMs = 10_000} = this.flags;
    const open = await this.openFleet();
    const [{explainKey}, {explainText}] = await Promise.all([
      import('../../lib/operate/explain-key.ts'),
      import('../../lib/output/explain-text.ts'),
    ]);
    const {document, exit} = await explainKey(open, {store, table, key: this.args.key, settleMs, signal: this.interrupt.signal});
    this.log(explainText(document, await this.layout()));
    this.verdict(exit);
    return document;
  }
}
