import {Args, Flags} from '@oclif/core';
import {RegionCommand} from '../../kit/command.ts';

export default class RunsApprove extends RegionCommand<typeof RunsApprove> {
  static override summary = 'Approve a step of a run that waits for people.';
  static override description =
    'Exit code: 0 recorded, 77 refused: nothing waits, its time ran out, or whoever runs it may not be the one to approve.';
  static override examples = ['<%= config.bin %> runs approve last', '<%= config.bin %> runs approve last --reason "checked"'];
  static override args = {run: Args.string({required: true, description: 'the id of the run, or `last`'})};
  static override flags = {
    step: Flags.string({helpValue: 'STEP', description: 'which step; default: the one that waits'}),
    reason: Flags.string({helpValue: 'TEXT', description: 'why; it stays on the record'}),
  };

  async run(): Promise<unknown> {
    const [{vote}, open] = await Promise.all([import('../../lib/operate/vote.ts'), this.openFleet()]);
    const {step, reason = null} = this.flags;
    const document = await vote(open, this.args.run, {verdict: 'approved', step, reason});
    this.log(document.says);
    return document;
  }
}
