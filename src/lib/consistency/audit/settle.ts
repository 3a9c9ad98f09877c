import {messageOf} from '../../errors.ts';
import type {Audit} from '../../ports/audit.ts';
import type {Clock} from '../../ports/clock.ts';
import type {LinkReading} from '../../ports/store.ts';
import type {AuditedMember} from './model.ts';

/**
 * What waiting for replication came to. `position`: every member has what the others had when it began. `none`: nothing replicates between these
 * members that we know of, so there was nothing to wait for. `behind`: it was not reached, and `reason` says by whom.
 */
export type Settled = {readonly basis: 'position' | 'none'} | {readonly basis: 'behind'; readonly reason: string};

export type SettleJob = {
  readonly audit: Pick<Audit, 'position'>;
  /** Absent = the store has no links. */
  readonly links?: (signal: AbortSignal) => Promise<readonly LinkReading[]>;
  readonly clock: Clock;
  /** How long replication may take, in ms. */
  readonly waitMs: number;
};

const FIRST_POLL_MS = 20;
const SLOWEST_POLL_MS = 250;

/**
 * Waits until every member has applied what every other one had written when this was called: a captured position, not a pause, since an idle link and
 * a stalled one look alike. A standby has to reach the furthest member of its stream, since what it follows may follow another.
 */
export async function settle(job: SettleJob, members: readonly AuditedMember[], signal: AbortSignal): Promise<Settled> {
  const {audit, links, clock, waitMs} = job;
  if (links === undefined) return {basis: 'none'};
  const names = members.map(({member}) => member);
  const targets = await positions(audit, names, signal);
  const end = clock.now() + waitMs;
  for (let pause = FIRST_POLL_MS; ; pause = Math.min(SLOWEST_POLL_MS, pause * 2)) {
    const read = await links(signal).catch((error: unknown) => {
      signal.throwIfAborted();
      return messageOf(error);
    });
    const state = typeof read === 'string' ? {basis: 'behind' as const, reason: read} : judge(read, names, targets);
    if (state.basis !== 'behind' || clock.now() >= end) return state;
    await clock.sleep(pause, signal);
  }
}

async function positions(audit: SettleJob['audit'], names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, bigint>> {
  const read = await Promise.all(names.map(async (name) => [name, BigInt(await audit.position(name, signal))] as const));
  return new Map(read);
}

function judge(links: readonly LinkReading[], names: readonly string[], targets: ReadonlyMap<string, bigint>): Settled {
  const own = links.filter(({from, to}) => names.includes(from) && names.includes(to));
  if (own.length === 0) return {basis: 'none'};
  const furthest = [...targets.values()].reduce((most, each) => (each > most ? each : most), 0n);
  for (const link of own) {
    const target = link.kind === 'logical' ? (targets.get(link.from) ?? 0n) : furthest;
    const reached = link.replayOffset === null ? null : BigInt(link.replayOffset);
    if (reached !== null && reached >= target) continue;
    const how =
      reached === null ? `it is not known what ${link.to} has applied` : `${link.to} has ${target - reached} bytes of it yet to apply`;
    return {basis: 'behind', reason: `${link.to} did not catch up with ${link.from}: ${link.trouble ?? how}.`};
  }
  return {basis: 'position'};
}
