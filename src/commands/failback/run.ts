import {Flags} from '@oclif/core';
import {MoveRunCommand, moveRunFlags} from '../../kit/move-command.ts';
import type {PrepareOptions} from '../../lib/operate/prepare.ts';
import type {World} from '../../lib/operate/world.ts';
import type {OpenFleet} from '../../lib/providers/open-fleet.ts';

export default class FailbackRun extends MoveRunCommand<typeof FailbackRun> {
  static override summary =
    'Go home: bring the returned region back as a standby, let it catch up, switch over without loss, compare all rows.';
  static override description =
    'Where every region takes writes: give one its traffic back, after it has caught up and an audit has found every row equal. Exit code: 0 succeeded, 1 succeeded with an objective missed or a step left undone, 2 failed, 75 another run holds the lease, 77 a gate refuses (nothing was done), 130 interrupted.';
  static override examples = ['<%= config.bin %> failback run', '<%= config.bin %> failback run --to us-east --yes --json'];
  static override flags = {
    to: Flags.string({
      helpValue: 'REGION',
      description: 'home; default: the region with the highest weight in the fleet file; of peers the one that gets less than normal',
    }),
    ...moveRunFlags,
  };
  protected override readonly kind = 'failback';

  protected override async prepare(open: OpenFleet, world: World, options: PrepareOptions) {
    const {prepareFailback} = await import('../../lib/operate/prepare.ts');
    return prepareFailback(open, world, options);
  }
}
