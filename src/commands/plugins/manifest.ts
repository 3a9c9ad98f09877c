import {Args, RegionCommand} from '../../kit/command.ts';
import {messageOf, usageError} from '../../lib/errors.ts';

export default class PluginsManifest extends RegionCommand<typeof PluginsManifest> {
  static override summary = 'Write the oclif.manifest.json of a plugin, which spares every start the import of its commands.';
  static override description =
    'Write it anew before each release: what it says of a command is believed, also when the command has changed since.';
  static override examples = [
    '<%= config.bin %> plugins manifest',
    '<%= config.bin %> plugins manifest ../<%= config.pjson.oclif.examplePlugin %>',
  ];
  static override args = {dir: Args.string({default: '.', description: 'the folder of the plugin'})};

  async run(): Promise<unknown> {
    const [{resolve, join}, {writeFile}, {manifestOf}] = await Promise.all([
      import('node:path'),
      import('node:fs/promises'),
      import('../../kit/manifest.ts'),
    ]);
    const dir = resolve(this.args.dir);
    const manifest = await manifestOf(dir).catch((error: unknown) => {
      throw usageError(`${dir} is no plugin whose commands can be read: ${messageOf(error)}`);
    });
    const file = join(dir, 'oclif.manifest.json');
    await writeFile(file, `${JSON.stringify(manifest, null, 1)}\n`);
    const commands = Object.keys(manifest.commands).map((id) => id.replaceAll(':', ' '));
    this.log(`${file}: ${commands.length === 0 ? 'no command' : commands.join(', ')}`);
    return {file, commands};
  }
}
