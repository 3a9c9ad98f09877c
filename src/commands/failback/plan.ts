import {Flags} from '@oclif/core';
import {MovePlanCommand, movePlanFlags} from '../../kit/move-command.ts';
import type {PrepareOptions} from '../../lib/operate/prepare.ts';
import type {World} from '../../lib/operate/world.ts';
import type {OpenFleet} from '../../lib/providers/open-fleet.ts';

export default class FailbackPlan extends MovePlanCommand<typeof FailbackPlan> {
  static override summary =
    'Show how the region that was left is brought back, what that moves, and which gates stand in the way. Nothing is written.';
  static override description = 'Exit code: 0 when every gate passes or was overridden by name, 77 when one refuses.';
  static override examples = ['<%= config.bin %> failback plan', '<%= config.bin %> failback plan --to us-east --json'];
  static override flags = {
    to: Flags.string({
      helpValue: 'REGION',
      description: 'home; default: the region with the highest weight in the fleet file; of peers the one that gets less than normal',
    }),
    ...movePlanFlags,
  };
  protected override readonly kind = 'failback';

  protected override async prepare(open: OpenFleet, world: World, options: PrepareOptions) {
    const {prepareFailback} = await import('../../lib/operate/prepare.ts');
    return prepareFailback(open, world, options);
  }
}
