import {RegionctlError, usageError} from '../errors.ts';
import {EXIT} from '../exit-codes.ts';
import type {Action} from '../plan/action.ts';
import type {Clock} from '../ports/clock.ts';
import type {Cell} from '../snapshot/cell.ts';
import type {RegionHealth} from '../snapshot/snapshot.ts';
import {type DrillArguments, named} from './arguments.ts';
import type {Senses} from './senses.ts';

type HealthDeps = {readonly senses: Pick<Senses, 'sampleHealth'>; readonly clock: Clock};

/** `health.await`: waits until a region has had a verdict `fall` times in a row. A sample that is unknown begins the count anew. */
export function healthAwait({senses, clock}: HealthDeps): Action<DrillArguments['health.await']> {
  return {
    ...named('health.await', 'none'),
    describe: (target, {verdict, fall}) => `wait until ${target.region ?? '?'} is ${verdict} ${fall} times in a row`,
    look: async () => 'before',
    async apply(ctx, target, {verdict, everyMs, fall, withinMs}) {
      const {region} = target;
      if (region === undefined) throw usageError('health.await needs a region as its target');
      const began = clock.now();
      let inRow = 0;
      for (let samples = 1; ; samples += 1) {
        const asked = clock.now();
        const cell = await senses.sampleHealth(region, ctx.signal);
        inRow = cell.known && cell.value.verdict === verdict ? inRow + 1 : 0;
        const afterMs = Math.round(clock.now() - began);
        if (inRow >= fall)
          return {region, verdict, samples, afterMs, says: `${region} is ${verdict} after ${afterMs} ms: ${reasonOf(cell)}`};
        if (afterMs >= withinMs) throw notSeen(region, verdict, withinMs, cell);
        await clock.sleep(Math.max(0, everyMs - (clock.now() - asked)), ctx.signal);
      }
    },
  };
}

function notSeen(region: string, verdict: string, withinMs: number, cell: Cell<RegionHealth>) {
  const last = cell.known ? `it is ${cell.value.verdict}` : 'its state is not known';
  return new RegionctlError(
    'not-detected',
    EXIT.critical,
    `${region} was not seen ${verdict} within ${withinMs} ms: ${last} (${reasonOf(cell)})`,
  );
}

function reasonOf(cell: Cell<RegionHealth>): string {
  return cell.known ? cell.value.reason : cell.reason;
}
