import {Flags} from '@oclif/core';
import {MoveRunCommand, moveRunFlags} from '../../kit/move-command.ts';
import type {PrepareOptions} from '../../lib/operate/prepare.ts';
import type {World} from '../../lib/operate/world.ts';
import type {OpenFleet} from '../../lib/providers/open-fleet.ts';

export default class SwitchoverRun extends MoveRunCommand<typeof SwitchoverRun> {
  static override summary =
    'Move to another region on purpose while everything is well: nothing is lost, and the former primary follows afterwards.';
  static override description =
    'Exit code: 0 succeeded, 1 succeeded with an objective missed or a step left undone, 2 failed, 75 another run holds the lease, 77 a gate refuses (nothing was done), 130 interrupted.';
  static override examples = [
    '<%= config.bin %> switchover run --to eu-west',
    '<%= config.bin %> switchover run --to eu-west --yes --json',
  ];
  static override flags = {
    from: Flags.string({helpValue: 'REGION', description: 'the region to leave; default: the one that holds the primary'}),
    to: Flags.string({helpValue: 'REGION', description: 'the region to go to; default: the first fit one of its failover order'}),
    ...moveRunFlags,
  };
  protected override readonly kind = 'switchover';

  protected override async prepare(open: OpenFleet, world: World, options: PrepareOptions) {
    const {prepareSwitchover} = await import('../../lib/operate/prepare.ts');
    return prepareSwitchover(open, world, options);
  }
}
