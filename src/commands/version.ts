import {RegionCommand} from '../kit/command.ts';

export default class Version extends RegionCommand<typeof Version> {
  static override summary = 'Show the version of regionctl and of what it runs on.';
  static override examples = ['<%= config.bin %> version', '<%= config.bin %> version --json'];

  async run(): Promise<unknown> {
    const {name, version, userAgent} = this.config;
    this.log(userAgent);
    return {name, version, node: process.versions.node, platform: process.platform, arch: process.arch};
  }
}
