import {copyFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {Flags} from '@oclif/core';
import {RegionCommand} from '../kit/command.ts';

export default class Init extends RegionCommand<typeof Init> {
  static override summary = 'Write a commented fleet file to start from.';
  static override description = 'An existing file is never overwritten without --force.';
  static override examples = ['<%= config.bin %> init', '<%= config.bin %> init --name shop --region us-east --region eu-west'];
  static override flags = {
    name: Flags.string({default: 'my-fleet', helpValue: 'NAME', description: 'what the fleet is called'}),
    region: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'REGION',
      default: ['us-east', 'eu-west'],
      description: 'a region; give it once for each',
    }),
    output: Flags.string({char: 'o', default: 'regionctl.yaml', helpValue: 'FILE', description: 'where to write'}),
    force: Flags.boolean({description: 'overwrite an existing file'}),
  };

  async run(): Promise<unknown> {
    const {name, region, output, force} = this.flags;
    const [{fleetTemplate, SCHEMA_FILE}, {writeFleetFile}] = await Promise.all([
      import('../lib/fleet/template.ts'),
      import('../lib/fleet/write-file.ts'),
    ]);
    await writeFleetFile(output, fleetTemplate({name, regions: region}), {force});
    await copyFile(join(this.config.root, 'schemas/fleet.schema.json'), join(dirname(output), SCHEMA_FILE));
    this.log(`Wrote ${output}. Next: fill in the addresses, put the secrets where it says, then run \`regionctl doctor\`.`);
    return {file: output};
  }
}
