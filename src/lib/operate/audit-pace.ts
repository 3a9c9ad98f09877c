import {unavailable} from '../errors.ts';
import type {Audit} from '../ports/audit.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {readLag} from './lag.ts';

/**
 * When an audit holds still: above this lag (ms) of any link of the store, or with more sessions than this active on a member. After `waitMs` it ends.
 * null = never.
 */
export type PaceLimits = {readonly maxLagMs: number | null; readonly maxLoad: number | null; readonly waitMs: number | null};

/** A gate that an audit passes before each statement. `says` = why it is closed now; null = it is open. */
export type Pace = {pass(signal: AbortSignal): Promise<void>; says(): string | null};

/** How often what limits an audit is read, in ms. */
const EVERY_MS = 1000;
/** It goes on when what held it up is below this share of the limit: it would stop and go otherwise. */
const READMIT = 0.8;

/** `rest` is called when it holds still, so that no snapshot stays open. */
export function createPace(
  open: OpenFleet,
  {
    store,
    members,
    audit,
    limits,
    rest,
  }: {
    readonly store: string;
    readonly members: readonly string[];
    readonly audit: Pick<Audit, 'load'>;
    readonly limits: PaceLimits;
    readonly rest: () => Promise<void>;
  },
): Pace {
  const {clock} = open;
  const end = limits.waitMs === null ? Number.POSITIVE_INFINITY : clock.now() + limits.waitMs;
  const refuseLate = (): void => {
    if (clock.now() >= end) throw unavailable('wait-timeout', `The audit was to end after ${(limits.waitMs ?? 0) / 1000} s.`);
  };
  let checkedAt = Number.NEGATIVE_INFINITY;
  let closed: string | null = null;
  const look = async (share: number, signal: AbortSignal): Promise<string | null> =>
    (await tooLate(open, store, limits.maxLagMs, share, signal)) ?? tooBusy(audit, members, limits.maxLoad, share, signal);
  return {
    says: () => closed,
    pass: async (signal) => {
      refuseLate();
      if (limits.maxLagMs === null && limits.maxLoad === null) return;
      if (clock.now() - checkedAt < EVERY_MS) return;
      closed = await look(1, signal);
      if (closed !== null) await rest();
      while (closed !== null) {
        await clock.sleep(EVERY_MS, signal);
        refuseLate();
        closed = await look(READMIT, signal);
      }
      checkedAt = clock.now();
    },
  };
}

async function tooLate(
  open: OpenFleet,
  store: string,
  maxLagMs: number | null,
  share: number,
  signal: AbortSignal,
): Promise<string | null> {
  if (maxLagMs === null) return null;
  const {document} = await readLag(open, {store, signal, heartbeat: false});
  const [unread] = document.unread;
  if (unread !== undefined) return `the lag is not known: ${unread.reason}`;
  const late = document.links.find(({seconds, state}) => seconds === null || state === 'broken' || seconds * 1000 > maxLagMs * share);
  if (late === undefined) return null;
  const {from, to, seconds, reason} = late;
  return seconds === null ? `the lag of ${from} → ${to} is not known: ${reason}` : `${to} is ${seconds.toFixed(1)} s behind ${from}`;
}

async function tooBusy(
  audit: Pick<Audit, 'load'>,
  members: readonly string[],
  maxLoad: number | null,
  share: number,
  signal: AbortSignal,
): Promise<string | null> {
  if (maxLoad === null) return null;
  const loads = await Promise.all(members.map(async (member) => ({member, active: (await audit.load(member, signal)).active})));
  const busy = loads.find(({active}) => active > maxLoad * share);
  return busy === undefined ? null : `${busy.active} sessions are active on ${busy.member}`;
}
