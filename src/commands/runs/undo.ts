import {Args, Flags} from '@oclif/core';
import {RunCommand, runFlags} from '../../kit/run-command.ts';

export default class RunsUndo extends RunCommand<typeof RunsUndo> {
  static override summary = 'Take back what a run began, newest first, as long as its point of no return was not passed.';
  static override description =
    'Exit code: 0 everything was taken back, 2 something could not be, 77 refused: past the point of no return, where failback is the way back.';
  static override examples = ['<%= config.bin %> runs undo last'];
  static override args = {run: Args.string({required: true, description: 'the id of the run, or `last`'})};
  static override flags = {
    reason: Flags.string({helpValue: 'TEXT', description: 'why a run that was left alone for over 15 minutes is taken up again'}),
    format: runFlags.format,
  };

  async run(): Promise<unknown> {
    const [open, {findRun}] = await Promise.all([this.openFleet(), import('../../lib/operate/runs.ts')]);
    const run = await findRun(open, this.args.run);
    const how = {going: 'back' as const, reason: this.flags.reason ?? null};
    return this.report(await this.conductTakeUp(open, await this.world(open, {resumed: true}), run, how));
  }
}
