import {within} from '../../awake.ts';
import type {Cell} from '../../snapshot/cell.ts';
import {type Cluster, type Node, only} from './cluster.ts';
import {asCell, type Facts, OBSERVE_MS} from './facts.ts';
import {READING} from './reading-sql.ts';

/** One receiver as its sender lists it. Bytes are behind the end of the sender's log, seconds as the sender measured them last. */
export type Sender = {
  readonly pid: number;
  readonly application: string;
  readonly state: string;
  readonly sync: string;
  /** When its connection began, by the sender's clock in epoch ms. */
  readonly startedAt: number;
  /** Where it comes from; null or absent = over a socket, or not to be read. */
  readonly address?: string | null;
  readonly sendBytes: number | null;
  readonly writeBytes: number | null;
  readonly flushBytes: number | null;
  readonly replayBytes: number | null;
  readonly writeSeconds: number | null;
  readonly flushSeconds: number | null;
  readonly replaySeconds: number | null;
};

/** One slot of a server. `confirmed` and `confirmedBehind` are of logical ones: up to where its reader has everything. */
export type Slot = {
  readonly name: string;
  readonly kind: 'physical' | 'logical';
  readonly database: string | null;
  readonly active: boolean;
  readonly pid: number | null;
  readonly temporary: boolean;
  /** A copy of the primary's slot that waits for a promotion (17+): nobody reads it. */
  readonly synced: boolean;
  readonly retainedBytes: number | null;
  readonly safeBytes: number | null;
  readonly status: string | null;
  readonly invalidated: string | null;
  readonly inactiveSeconds: number | null;
  readonly confirmed: string | null;
  readonly confirmedBehind: number | null;
};

/** One subscription in the store's database. `pid` null = no worker applies it now. */
export type Subscription = {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly slot: string | null;
  readonly publications: readonly string[];
  readonly skipping: string | null;
  readonly origin: string;
  readonly pid: number | null;
  /** Whose lock its worker waits for; null = for nobody's. */
  readonly blockedBy: Holder | null;
  /** How far it has received, and how far it has told the publisher that it has applied, in bytes as decimal strings. */
  readonly received: string | null;
  readonly reported: string | null;
  readonly heardAt: number | null;
  readonly applyErrors: number | null;
  readonly syncErrors: number | null;
  readonly conflicts: Readonly<Record<string, number>> | null;
  readonly ready: number;
  readonly copying: number;
};

/** A session that others wait for. Never its query: that may hold data. */
export type Holder = {readonly pid: number; readonly user: string | null; readonly seconds: number | null};

/** What the process that replays waits for; `holder` = the session that must end first, as far as it can be told. */
export type Startup = {
  readonly type: string | null;
  readonly event: string | null;
  readonly waitedSeconds: number | null;
  readonly holder: Holder | null;
};

/** Everything that one server says of its replication at one moment. */
export type Reading = {
  readonly facts: Facts;
  readonly senders: readonly Sender[];
  readonly slots: readonly Slot[];
  readonly subscriptions: readonly Subscription[];
  readonly publications: readonly string[];
  readonly startup: Startup | null;
  /** Queries that replay has cancelled on it; null on a primary. */
  readonly conflicts: number | null;
  readonly settings: {
    readonly version: number;
    readonly keepBytes: number;
    /** 0 = it never gives up. */
    readonly receiverTimeoutMs: number;
    /** -1 = for ever. */
    readonly streamingDelayMs: number;
    readonly applyDelayMs: number;
  };
  /** Where its subscriptions lead, without passwords; null = the role may not read that. */
  readonly leads: readonly {readonly id: string; readonly conninfo: string}[] | null;
  /** What the role may read besides. */
  readonly may: {readonly files: boolean};
};

/** The members' readings; one that does not answer is an unknown cell. */
export type Readings = Readonly<Record<string, Cell<Reading>>>;

type Row = Omit<Reading, 'settings'> & {readonly settings: Readonly<Record<string, string>>};

/** Reads every member at the same time over its reader, in one statement each and with a deadline each. Nobody waits for another. */
export async function readMembers(cluster: Cluster, signal: AbortSignal): Promise<Readings> {
  const cells = [...cluster.nodes.values()].map(
    async (node) => [node.name, await asCell(cluster, () => readMember(node, signal))] as const,
  );
  return Object.fromEntries(await Promise.all(cells));
}

async function readMember(node: Node, signal: AbortSignal): Promise<Reading> {
  await node.reader.ready(signal);
  const read = (own: AbortSignal) => node.reader.rows<Row>(READING, [], {signal: own, timeoutMs: OBSERVE_MS});
  const row = only(await within(signal, OBSERVE_MS, read), node);
  const setting = (name: string): number => Number(row.settings[name] ?? 0);
  return {
    ...row,
    settings: {
      version: Math.floor(setting('server_version_num') / 10_000),
      keepBytes: setting('wal_keep_size') * 1_048_576,
      receiverTimeoutMs: setting('wal_receiver_timeout'),
      streamingDelayMs: setting('max_standby_streaming_delay'),
      applyDelayMs: setting('recovery_min_apply_delay'),
    },
  };
}

/** What was read of a member; null = it was not, or is none. */
export function readingOf(readings: Readings, member: string | null): Reading | null {
  const cell = member === null ? undefined : readings[member];
  return cell?.known === true ? cell.value : null;
}

/** The facts of each member. */
export function factsOf(readings: Readings): Readonly<Record<string, Cell<Facts>>> {
  return Object.fromEntries(Object.entries(readings).map(([name, cell]) => [name, cell.known ? {...cell, value: cell.value.facts} : cell]));
}

/** Names as PostgreSQL compares application names. */
export const isSameName = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();
