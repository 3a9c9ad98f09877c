import {Args, Flags} from '@oclif/core';
import {RegionCommand} from '../../kit/command.ts';

export default class RunsAbort extends RegionCommand<typeof RunsAbort> {
  static override summary = 'Tell a run under way, from any terminal, to stop at its next safe point.';
  static override description =
    'Before its point of no return it goes back; later it stops once traffic is where it belongs, and can be resumed. Exit code: 0 it was told, 77 no process runs it.';
  static override examples = ['<%= config.bin %> runs abort last --reason "wrong region"'];
  static override args = {run: Args.string({required: true, description: 'the id of the run, or `last`'})};
  static override flags = {reason: Flags.string({helpValue: 'TEXT', description: 'why; it stays on the record'})};

  async run(): Promise<unknown> {
    const [{askToAbort}, open] = await Promise.all([import('../../lib/operate/vote.ts'), this.openFleet()]);
    const document = await askToAbort(open, this.args.run, this.flags.reason ?? null);
    this.log(document.says);
    return document;
  }
}
