import {formatMs} from '../../output/units.ts';
import type {LinkCause} from '../../ports/store.ts';
import type {Cell} from '../../snapshot/cell.ts';
import type {Facts} from './facts.ts';
import type {Listed} from './replication.ts';
import {copySays, loadingSays} from './says.ts';

/** What is known of a link before it is judged: both of its ends, and where the chain that it belongs to begins. */
export type Ends = {
  readonly to: string;
  readonly from: string;
  readonly own: Cell<Facts>;
  /** null = `from` is no member. */
  readonly sending: Cell<Facts> | null;
  /** How the sender lists the receiver; null = it does not, or was not read. */
  readonly listed: Listed | null;
  /** The store's primary; null = none answers. */
  readonly primary: string | null;
  /** Where the chain of upstreams begins, as far as it could be followed: a member that is no standby, or null = it leads in a circle or out of the store. */
  readonly root: {readonly name: string; readonly role: 'primary' | 'unread'} | null;
};

/** What is wrong, with a sentence that names members and figures. */
export type Wrong = LinkCause & {readonly says: string};

/** A replica acknowledges every second. One that was late by more than a second twice has stopped. */
export const SILENT_SECONDS = 3;
const SYNCING = ['wait_bgsave', 'send_bulk', 'send_bulk_and_stream'];

/** Whether a full copy is under way, by either end. The sender learns a moment later than the receiver that it is over. */
export function isCopying({own, listed}: Pick<Ends, 'own' | 'listed'>): boolean {
  const upstream = own.known ? own.value.upstream : null;
  if (upstream?.isUp === true) return false;
  return (upstream !== null && upstream.copying !== null) || (listed !== null && SYNCING.includes(listed.state));
}

/** The worst that is wrong with a link; null = nothing that either end tells. */
export function causeOf(ends: Ends): Wrong | null {
  const {own} = ends;
  return own.known ? causeAt(ends, own.value) : (silenceOf(ends) ?? unreadOf(ends));
}

function causeAt(ends: Ends, own: Facts): Wrong | null {
  const {to, from, sending, primary} = ends;
  if (own.role === 'primary') return promoted(ends);
  if (own.upstream === null) return wrong('no-upstream', 'broken', `${to} is a replica and does not say of whom`);
  if (own.loading !== null) return wrong('loading', 'late', `${to} ${loadingSays(own.loading)}`);
  if (sending === null) return wrong('wrong-master', 'broken', `${to} replicates from ${from}, which is the address of no member`);
  if (isCopying(ends)) return wrong('syncing', 'late', `${to} takes a full copy from ${from}${copySays(own.upstream.copying)}`);
  if (!own.upstream.isUp) return linkDown(ends, own.upstream.downSeconds);
  return misled(ends, primary) ?? silenceOf(ends);
}

function promoted({to, primary}: Ends): Wrong {
  return wrong(
    'promoted',
    'broken',
    `${to} is a primary of its own${primary === null ? '' : `, beside ${primary}`}, and replicates from nobody`,
  );
}

function linkDown({to, from}: Ends, seconds: number | null): Wrong {
  const since =
    seconds === null ? `${to} has never had a link to ${from}` : `${to} has had no link to ${from} for ${formatMs(seconds * 1000)}`;
  return wrong('link-down', 'broken', since);
}

/** Its stream does not come from the store's primary: it follows one that was replaced, or others who follow each other. */
function misled({to, from, root}: Ends, primary: string | null): Wrong | null {
  if (root === null) return wrong('wrong-master', 'broken', `${to} replicates from ${from}, which no primary of the store leads`);
  if (primary === null || root.role === 'unread' || root.name === primary) return null;
  const through = root.name === from ? '' : `, which ${root.name} leads`;
  return wrong('wrong-master', 'broken', `${to} replicates from ${from}${through}, and ${primary} is the primary`);
}

/** The sender still has the connection; who should acknowledge every second does not. */
function silenceOf({to, from, listed, own}: Ends): Wrong | null {
  const seconds = listed?.silentSeconds ?? null;
  if (seconds === null || seconds < SILENT_SECONDS || listed?.state !== 'online') return null;
  const because = own.known ? '' : `, and ${own.reason}`;
  return wrong(
    'no-acknowledgement',
    'stalled',
    `${to} has acknowledged nothing to ${from} for ${formatMs(seconds * 1000)}; a replica does so every second${because}`,
  );
}

/**
 * Who cannot be asked is known by what it acknowledges once a second: too seldom for two looks to tell whether it moves. It does, by the age of that. One that
 * took too long is left open: two looks at it are further apart, and it may be frozen.
 */
function unreadOf({to, from, listed, own, sending}: Ends): Wrong | null {
  if (own.known || own.code === 'timeout' || listed?.state !== 'online' || sending?.known !== true) return null;
  const behind = (sending.value.end ?? 0) - (listed.offset ?? 0);
  if (behind <= 0) return null;
  return wrong('receiver-unread', 'late', `${from} counts what ${to} has not acknowledged, and ${to} could not be asked: ${own.reason}`);
}

const wrong = (code: string, state: LinkCause['state'], says: string): Wrong => ({code, state, says});
