import type {Json} from '../plan/json.ts';
import type {ReadBack} from '../witness/readings.ts';
import {acksByMember, overMembers, type TwoWriters, twoWriters, unsentByMember} from '../witness/store-log.ts';
import type {WitnessLog} from '../witness/witness-log.ts';
import {witnessResult} from './witness-result.ts';

/** A store whose witness has stopped. `rows`: what is there of its writes, read on the primary. */
export type StoppedStore = {
  readonly store: string;
  readonly members: readonly string[];
  readonly log: WitnessLog;
  readonly rows: Promise<ReadBack>;
};

/** What `witness.stop` leaves in the journal of one store. */
export async function storeResult({store, members, log, rows}: StoppedStore): Promise<Record<string, Json>> {
  const instant = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
  const all = await witnessResult(overMembers(log), rows);
  const unread = typeof all.readBackTrouble === 'string' ? `its writes could not be read back: ${all.readBackTrouble}` : null;
  const troubles = [unread, unsentSays(log)].filter((one) => one !== null);
  return {
    store,
    all,
    members: acksByMember(log, members).map(({member, acknowledged, firstAckAt, lastAckAt}) => ({
      ...{member, acknowledged},
      ...{firstAckAt: instant(firstAckAt), lastAckAt: instant(lastAckAt)},
    })),
    twoWriters: together(twoWriters(log)),
    trouble: troubles.length === 0 ? null : troubles.join('; '),
  };
}

function together(seen: TwoWriters | null): Json {
  if (seen === null) return null;
  const {members, from, to, writes} = seen;
  return {members: [...members], from: new Date(from).toISOString(), ms: Math.round(to - from), writes};
}

function unsentSays(log: WitnessLog): string | null {
  const each = [...unsentByMember(log)].map(([member, count]) => `${count} writes to ${member}`);
  return each.length === 0
    ? null
    : `${each.join(' and ')} were not sent: every connection that the witness may open was waiting for an answer`;
}
