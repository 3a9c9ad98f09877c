import {Args, Flags, loadHelpClass} from '@oclif/core';
import {RegionCommand} from '../kit/command.ts';

export default class HelpCommand extends RegionCommand<typeof HelpCommand> {
  static override summary = 'Show how a command is used; without one, all commands and exit codes.';
  static override examples = ['<%= config.bin %> help', '<%= config.bin %> help failover run', '<%= config.bin %> help --nested-commands'];
  static override enableJsonFlag = false;
  static override strict = false;
  static override args = {command: Args.string({description: 'the words of the command'})};
  static override flags = {'nested-commands': Flags.boolean({char: 'n', description: 'list every command, also those of topics'})};

  async run(): Promise<void> {
    const Help = await loadHelpClass(this.config);
    const words = this.argv.filter((word) => !word.startsWith('-'));
    const all = this.flags['nested-commands'];
    await new Help(this.config, {...this.config.pjson.oclif.helpOptions, ...(all && {all})}).showHelp(words);
  }
}
