import type {Cell} from './cell.ts';
import type {Position} from './position.ts';

/** The four states a region can be in. What could not be judged is an unknown cell, not a fifth state. */
export type RegionVerdict = 'healthy' | 'degraded' | 'unhealthy' | 'recovering';

/**
 * One member of a store as it was seen. `durable` is the furthest position it holds on disk (max of received and replayed on a standby),
 * `applied` the furthest that queries see. `heardUpstreamAgoMs` is how long ago a standby last had a message from its upstream,
 * by the standby's own clock; `null` when it has no upstream connection.
 */
export type Member = {
  readonly region: string;
  readonly role: 'primary' | 'standby' | 'peer';
  readonly writable: boolean;
  readonly durable: Position;
  readonly applied: Position;
  /** It has applied every whole record that it holds: what is left up to `durable` is the beginning of one whose end never came. */
  readonly drained?: true;
  readonly upstream: string | null;
  readonly heardUpstreamAgoMs: number | null;
  /**
   * Its log went on where that of its upstream had forked off: it may hear the upstream each time that it calls, and never gets anything of what is written
   * there. Absent = that is not known; one that is still behind the fork follows.
   */
  readonly diverged?: true;
  /** Who must hold a write before this member acknowledges it, as it is set there now; absent = it is not known, or no rule of "any n of these". */
  readonly acknowledges?: {readonly need: number; readonly of: readonly string[]};
  /** `acknowledges` is set and waited for by nobody: the server asks for less by default (PostgreSQL: `synchronous_commit` off or local). */
  readonly lowered?: true;
  /** By what it is proven that it acknowledges nothing, of one that answers as a primary beside another one. Absent = it was not asked for, or is not proven. */
  readonly fenced?: 'stopped' | 'closed' | 'sealed' | 'hook' | 'break-glass';
};

/**
 * Who must hold a write before its client hears "ok": `need` of the members in `of` (`need` 0 and kind `async` = nobody).
 * `lowerable` says that a session may ask for less (PostgreSQL: synchronous_commit is settable by the user).
 */
export type AckRule = {
  readonly kind: 'async' | 'quorum';
  readonly need: number;
  readonly of: readonly string[];
  readonly lowerable: boolean;
  /** For one that is remembered: the timeline of the primary that said it; null = it was not noted. */
  readonly epoch?: number | null;
};

/** A region as judged: `agree` of `asked` vantage points share the verdict. */
export type RegionHealth = {
  readonly verdict: RegionVerdict;
  readonly agree: number;
  readonly asked: number;
  readonly code: string;
  readonly reason: string;
};

/** Whether a link was relied on. `seenAt` is ISO 8601: when both of its ends were last looked at; `says` is one sentence without its full stop. */
export type RememberedBreaker = {
  readonly from: string;
  readonly state: 'closed' | 'warn' | 'open';
  readonly seenAt: string;
  readonly says: string;
};

/** A store as seen from all its members. `members` has a cell for every member of the fleet file. */
export type StoreSnapshot = {
  readonly engine: string;
  /** The program that moves this store's primary itself (`patroni`), so that a plan asks it. Absent = regionctl does it by hand. */
  readonly manager?: string;
  /** Every member takes writes of its own: the store has no primary, and no plan moves it. */
  readonly peers?: true;
  /** Others move its primary, or nobody does: no plan touches it. */
  readonly watched?: true;
  readonly ack: Cell<AckRule>;
  /** Per member: the breakers of links that lead to it, as they were left when these were last looked at. Absent = none ever was. */
  readonly breakers?: Readonly<Record<string, readonly RememberedBreaker[]>>;
  /** The latest promotion that a run of this state made: whoever is a primary on an earlier timeline of that lineage is none any more. */
  readonly promoted?: Pick<Position, 'lineage' | 'epoch'>;
  readonly members: Readonly<Record<string, Cell<Member>>>;
};

/** One immutable picture of the whole fleet. Plain JSON: it is kept inside the plan that was made from it. */
export type Snapshot = {
  readonly version: 1;
  readonly takenAt: string;
  readonly fleetDigest: string;
  readonly vantage: string;
  readonly regions: Readonly<Record<string, Cell<RegionHealth>>>;
  readonly stores: Readonly<Record<string, StoreSnapshot>>;
  /** Per route: the weight of each region. */
  readonly routers: Readonly<Record<string, Cell<Readonly<Record<string, number>>>>>;
};

/** Whether a store has no primary by its nature, as it says itself or as its members answer. */
export function isOfPeers({peers, members}: StoreSnapshot): boolean {
  return peers === true || Object.values(members).some((cell) => cell.known && cell.value.role === 'peer');
}

/** Whether no plan moves the store: it has no primary, or regionctl only watches it. */
export function isLeftAlone(store: StoreSnapshot): boolean {
  return store.watched === true || isOfPeers(store);
}

/** The role that a member was seen in; null = it was not. */
export function roleIn({members}: StoreSnapshot, member: string): Member['role'] | null {
  const cell = members[member];
  return cell?.known === true ? cell.value.role : null;
}

/** Whether there is anything to promote: a member that is no primary and takes no writes of its own, as far as is known. */
export function isPromotable(role: Member['role'] | 'unknown' | null): boolean {
  return role !== 'primary' && role !== 'peer';
}

/** The latest timeline that any member is seen on; null = none is seen. */
export function latestEpoch({members}: StoreSnapshot): number | null {
  const epochs = Object.values(members).flatMap((cell) => (cell.known ? [cell.value.durable.epoch] : []));
  return epochs.length === 0 ? null : Math.max(...epochs);
}
