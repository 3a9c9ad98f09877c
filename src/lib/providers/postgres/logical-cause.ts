import {formatMs} from '../../output/units.ts';
import type {Cell} from '../../snapshot/cell.ts';
import type {Pair} from './logical-pairs.ts';
import {blocker, broken, isLost, late, slotLost, stalled, type Trouble} from './physical-cause.ts';
import type {Reading, Slot} from './reading.ts';

/** Everything that is known of one link of row changes, before it is put into words. */
export type LogicalEnds = {
  readonly pair: Pair;
  readonly from: string;
  /** null = the publisher was not read, and `sending` says why. */
  readonly end: Reading | null;
  readonly sending: Cell<Reading> | undefined;
  readonly slot: Slot | null;
};

/** What stands in the way of a subscription, the gravest first. */
export function logicalCauseOf(ends: LogicalEnds): Trouble {
  return stopped(ends) ?? withoutWorker(ends) ?? slowed(ends) ?? {cause: null, trouble: remark(ends)};
}

function stopped({pair, from, end, slot}: LogicalEnds): Trouble | null {
  const {subscription, subscriber} = pair;
  const {name, enabled, applyErrors} = subscription;
  if (!enabled) {
    const after = (applyErrors ?? 0) > 0 ? `, after ${errors(applyErrors)}` : '';
    return broken('subscription-disabled', `The subscription ${name} on ${subscriber} is disabled${after}: it takes nothing from ${from}.`);
  }
  if (subscription.slot === null)
    return broken('no-slot', `The subscription ${name} on ${subscriber} has no slot, so it gets nothing from ${from}.`);
  if (end !== null && slot === null)
    return broken('no-slot', `The subscription ${name} on ${subscriber} uses the slot ${subscription.slot}, which ${from} does not have.`);
  return isLost(slot) ? slotLost(slot, from, subscriber) : null;
}

/** Its worker starts anew after each error, and is gone nearly all of the time. */
function withoutWorker({pair, from, end, slot}: LogicalEnds): Trouble | null {
  const {subscription, subscriber} = pair;
  if (subscription.pid !== null) return null;
  const since = slot?.inactiveSeconds == null ? '' : `; ${from} last heard from it ${formatMs(slot.inactiveSeconds * 1000)} ago`;
  if ((subscription.applyErrors ?? 0) > 0)
    return broken(
      'apply-error',
      `${subscription.name} on ${subscriber} has no worker now, after ${errors(subscription.applyErrors)} in applying what comes from ${from}${since}.`,
    );
  if (end === null || slot?.active !== false) return null;
  return broken(
    'slot-inactive',
    `Nobody reads the slot ${slot.name} on ${from}: no worker runs for ${subscription.name} on ${subscriber}${since}.`,
  );
}

function slowed({pair, from}: LogicalEnds): Trouble | null {
  const {subscription, subscriber} = pair;
  const {name, blockedBy, copying, ready, syncErrors, skipping} = subscription;
  if (blockedBy !== null) return stalled('apply-blocked', `${name} on ${subscriber} waits for the lock of ${blocker(blockedBy)}.`);
  if (copying > 0) {
    const failed = (syncErrors ?? 0) > 0 ? `; copying has failed ${syncErrors} times` : '';
    return late('copying', `${name} on ${subscriber} is still copying ${copying} of ${copying + ready} tables from ${from}${failed}.`);
  }
  if (skipping === null) return null;
  return late('skipping', `${name} on ${subscriber} will skip the transaction of ${from} that ends at ${skipping}: its rows will differ.`);
}

function remark({pair, from, sending}: LogicalEnds): string | null {
  if (sending?.known === false)
    return pair.why === null
      ? sending.reason
      : `${sending.reason} That it publishes to ${pair.subscription.name} is concluded: ${pair.why}.`;
  return pair.publisher === null
    ? `Which member publishes to ${pair.subscription.name} on ${pair.subscriber} cannot be told (${from}): ${pair.why}.`
    : null;
}

const errors = (count: number | null): string => (count === 1 ? '1 error' : `${count} errors`);
