import {Flags, RegionCommand} from '../kit/command.ts';

export default class Version extends RegionCommand<typeof Version> {
  static override summary = 'Show the version of regionctl and of what it runs on.';
  static override examples = ['<%= config.bin %> version', '<%= config.bin %> version --verbose --json'];
  static override flags = {verbose: Flags.boolean({description: 'also show where it is, where it keeps its data, and the plugins'})};

  async run(): Promise<unknown> {
    const {name, version, userAgent, root, dataDir} = this.config;
    this.log(userAgent);
    const document = {name, version, node: process.versions.node, platform: process.platform, arch: process.arch};
    if (!this.flags.verbose) return document;
    const plugins = this.#plugins();
    this.log(`root    ${root}\ndata    ${dataDir}`);
    for (const plugin of plugins) this.log(`plugin  ${plugin.name} ${plugin.version} (${plugin.type}) ${plugin.root}`);
    return {...document, root, dataDir, plugins};
  }

  /** Those that the user installed or linked. */
  #plugins(): readonly {name: string; version: string; type: string; root: string}[] {
    return [...this.config.plugins.values()]
      .filter(({type}) => type !== 'core')
      .map(({name, version, type, root}) => ({name, version, type, root}));
  }
}
