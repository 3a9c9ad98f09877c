import {Flags} from '@oclif/core';
import {MovePlanCommand, movePlanFlags} from '../../kit/move-command.ts';
import type {PrepareOptions} from '../../lib/operate/prepare.ts';
import type {World} from '../../lib/operate/world.ts';
import type {OpenFleet} from '../../lib/providers/open-fleet.ts';

export default class FailoverPlan extends MovePlanCommand<typeof FailoverPlan> {
  static override summary = 'Show what a failover would do, what it would lose, and which gates stand in the way. Nothing is written.';
  static override description = 'Exit code: 0 when every gate passes or was overridden by name, 77 when one refuses.';
  static override examples = [
    '<%= config.bin %> failover plan',
    '<%= config.bin %> failover plan --from us-east --to eu-west --output plan.json',
  ];
  static override flags = {
    from: Flags.string({
      helpValue: 'REGION',
      description: 'the region to leave; default: the one that holds the primary; of peers the unhealthy one',
    }),
    to: Flags.string({helpValue: 'REGION', description: 'the region to go to; default: the first fit one of its failover order'}),
    ...movePlanFlags,
  };
  protected override readonly kind = 'failover';

  protected override async prepare(open: OpenFleet, world: World, options: PrepareOptions) {
    const {prepareFailover} = await import('../../lib/operate/prepare.ts');
    return prepareFailover(open, world, options);
  }
}
