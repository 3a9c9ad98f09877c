import {Args} from '@oclif/core';
import {RegionCommand} from '../../kit/command.ts';
import {dirFlag, labDir} from '../../lab/dir-flag.ts';

export default class LabHeal extends RegionCommand<typeof LabHeal> {
  static override summary = 'End every fault of a region, or of the front door, and start what does not run there.';
  static override description =
    'A database comes back as whatever its data says: an old primary as a primary. One that regionctl stopped as a fence stays stopped.';
  static override examples = ['<%= config.bin %> lab heal us-east', '<%= config.bin %> lab heal front-door'];
  static override args = {region: Args.string({required: true, description: 'the region to heal, or front-door'})};
  static override flags = {...dirFlag};

  async run(): Promise<unknown> {
    const {region} = this.args;
    const [{openRecord}, {askLab}] = await Promise.all([import('../../lab/status.ts'), import('../../lab/control-client.ts')]);
    const path = `/faults/${encodeURIComponent(region)}`;
    const answer = await askLab(openRecord(labDir(this.flags.dir)), {method: 'DELETE', path, deadlineMs: 90_000});
    this.log(`${region} is healed.`);
    return answer;
  }
}
