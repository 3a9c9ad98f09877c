import {Flags} from '@oclif/core';
import {RegionCommand} from '../../kit/command.ts';

export default class ReplicationTopology extends RegionCommand<typeof ReplicationTopology> {
  static override summary = 'Draw how the stores replicate, by the links that are really there, and say what is wrong with that.';
  static override description =
    'Finds single points, lost hubs, too few copies, links into the wrong jurisdiction, splits and gaps. Exit code: 0 good, 1 a warning, 2 an error or a broken link, 3 unknown.';
  static override examples = [
    '<%= config.bin %> replication topology',
    '<%= config.bin %> replication topology --store orders --json',
    '<%= config.bin %> replication topology --format mermaid',
  ];
  static override flags = {
    format: Flags.option({options: ['text', 'mermaid'] as const, description: 'how to print the result'})({default: 'text'}),
    store: Flags.string({helpValue: 'STORE', description: 'only this store'}),
  };

  async run(): Promise<unknown> {
    const [{readTopology}, open] = await Promise.all([import('../../lib/operate/topology.ts'), this.openFleet()]);
    const {store, format} = this.flags;
    if (store !== undefined) (await import('../../lib/fleet/lookup.ts')).storeOf(open.fleet, store);
    const {document, exit} = await readTopology(open, {store, signal: this.interrupt.signal});
    const {formatTopology} = await import('../../lib/output/topology-formats.ts');
    this.log(formatTopology(document, format, await this.layout()));
    this.verdict(exit);
    return document;
  }
}
