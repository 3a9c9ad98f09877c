import {Flags} from '@oclif/core';
import {guardFlags, MoveRunCommand, moveRunFlags} from '../../kit/move-command.ts';
import type {PrepareOptions} from '../../lib/operate/prepare.ts';
import type {World} from '../../lib/operate/world.ts';
import type {OpenFleet} from '../../lib/providers/open-fleet.ts';

export default class FailoverRun extends MoveRunCommand<typeof FailoverRun> {
  static override summary = 'Fail over: fence the old primary, promote, re-point, reroute, verify, measure, and guard.';
  static override description =
    'Where every region takes writes: take one out of the traffic, wait for what it wrote, and count what did not arrive. Exit code: 0 succeeded, 1 succeeded with an objective missed or a step left undone, 2 failed, 75 another run holds the lease, 77 a gate refuses (nothing was done), 130 interrupted.';
  static override examples = [
    '<%= config.bin %> failover run',
    '<%= config.bin %> failover run --to eu-west --yes --json',
    '<%= config.bin %> failover run --plan plan.json',
  ];
  static override flags = {
    from: Flags.string({
      helpValue: 'REGION',
      description: 'the region to leave; default: the one that holds the primary; of peers the unhealthy one',
    }),
    to: Flags.string({helpValue: 'REGION', description: 'the region to go to; default: the first fit one of its failover order'}),
    ...guardFlags,
    ...moveRunFlags,
  };
  protected override readonly kind = 'failover';

  protected override async prepare(open: OpenFleet, world: World, options: PrepareOptions) {
    const {prepareFailover} = await import('../../lib/operate/prepare.ts');
    const {guard, 'wait-timeout': forMs} = this.flags;
    return prepareFailover(open, world, {...options, guard: {forMs: guard ? (forMs ?? null) : 0}});
  }
}
