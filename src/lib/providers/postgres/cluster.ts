import {unavailable, usageError} from '../../errors.ts';
import type {Ctx} from '../../plan/action.ts';
import type {Clock} from '../../ports/clock.ts';
import type {Host} from '../../ports/host.ts';
import type {ProviderContext, StorePart} from '../define.ts';
import {tlsSettings} from '../tls/credentials.ts';
import {type Place, secureBy} from './connect.ts';
import type {Address} from './conninfo.ts';
import type {PostgresConfig, PostgresMember} from './provider.ts';
import {type Connection, createSession, type Limits, type Session} from './session.ts';

/**
 * One member with its sessions: `session` claims and acts, `reader` can only read and is nobody's claim, so that whoever looks never stands in the
 * way of a failover. Each is one connection at most. `place` opens further ones.
 */
export type Node = {
  readonly name: string;
  readonly region: string;
  readonly address: Address;
  readonly upstreams: Readonly<Record<string, Address>>;
  readonly passfile: string | null;
  readonly host: Host | null;
  readonly place: Place;
  readonly session: Session;
  readonly reader: Session;
};

/**
 * A store's members and what they share. `claims` tells for each claimed member over which connection its claim is held. `claimed`: the store is
 * claimed, so nothing is changed on it but under the claim. `wanted`: the members that belong to it, also those that were late. `evicts`: whoever holds a member that is claimed later is evicted, as the others were.
 * `peers`: there is no primary, every member takes writes of its own.
 */
export type Cluster = {
  readonly store: string;
  readonly peers: boolean;
  readonly user: string;
  readonly replicationUser: string;
  readonly quorum: number;
  readonly clock: Clock;
  readonly nodes: ReadonlyMap<string, Node>;
  readonly claims: Map<string, Connection>;
  claimed: boolean;
  wanted: readonly string[];
  evicts: boolean;
};

/** Builds the members of one store. Nothing is opened yet. */
export function createCluster(part: StorePart<PostgresConfig, PostgresMember>, context: ProviderContext): Cluster {
  const {user, database, password, replicationUser, monitor = {user, password}} = part.config;
  const nodes = part.members.map((member): Node => {
    const {address, upstreams, replicationPassfile} = member.config;
    const tls = tlsSettings(part.config, address.host, context.baseDir);
    const login = {user, database, password: () => context.secrets.reveal(password)};
    const place: Place = {...address, label: member.name, ...login, ...secureBy(tls, context.secrets)};
    const base = {name: member.name, region: member.region, host: member.host, address, upstreams};
    const reading: Place = {...place, user: monitor.user, password: () => context.secrets.reveal(monitor.password), reads: true};
    return {...base, passfile: replicationPassfile ?? null, place, session: createSession(place), reader: createSession(reading)};
  });
  const byName = new Map(nodes.map((node) => [node.name, node] as const));
  const {name: store, quorum} = part;
  return {
    store,
    peers: part.config.peers === true,
    user,
    replicationUser,
    quorum,
    clock: context.clock,
    nodes: byName,
    claims: new Map(),
    claimed: false,
    wanted: [],
    evicts: false,
  };
}

/** Ends every session, and with them the claim. */
export async function closeCluster(cluster: Cluster): Promise<void> {
  cluster.claims.clear();
  cluster.claimed = false;
  await Promise.all([...cluster.nodes.values()].flatMap(({session, reader}) => [session.close(), reader.close()]));
}

/** The member of that name. Throws a UsageError that lists the known ones. */
export function nodeOf(cluster: Cluster, name: string): Node {
  const node = cluster.nodes.get(name);
  if (node === undefined) {
    throw usageError(`Store ${cluster.store} has no member ${name}.`, {
      suggestions: [`Known members: ${[...cluster.nodes.keys()].join(', ')}.`],
    });
  }
  return node;
}

/** The named members, default all of them; names that are not known are left out. */
export const nodesOf = (cluster: Cluster, members?: readonly string[]): readonly Node[] =>
  [...cluster.nodes.values()].filter(({name}) => members === undefined || members.includes(name));

/** How a member reaches another one for replication. */
export const upstreamAddress = (cluster: Cluster, member: Node, upstream: string): Address =>
  member.upstreams[upstream] ?? nodeOf(cluster, upstream).address;

/** A statement that runs out of time costs its session, and with it the claim: the last one before a deadline gets this much. */
const LEAST_MS = 100;

/** The limits of a statement within an effect: what is left of its deadline, at most `atMostMs`. */
export function limitsOf(ctx: Ctx, atMostMs = 1500): Limits {
  return {timeoutMs: Math.max(LEAST_MS, Math.min(atMostMs, Math.ceil(ctx.deadline - ctx.now()))), signal: ctx.signal};
}

/** Asks again every `everyMs` until `look` answers something, for at most `forMs` and never beyond the effect's own deadline. */
export async function pollUntil<T>(
  cluster: Cluster,
  ctx: Ctx,
  limits: {forMs: number; everyMs: number},
  look: () => Promise<T | null>,
): Promise<T | null> {
  const end = Math.min(ctx.deadline, ctx.now() + limits.forMs);
  for (;;) {
    const seen = await look();
    if (seen !== null) return seen;
    if (ctx.now() >= end) return null;
    await cluster.clock.sleep(limits.everyMs, ctx.signal);
  }
}

/** What came of asking several members at once: a member that fails never hides the others. */
export async function askEach<T>(
  nodes: readonly Node[],
  ask: (node: Node) => Promise<T>,
): Promise<readonly {node: Node; value?: T; error?: unknown}[]> {
  return Promise.all(
    nodes.map((node) =>
      ask(node).then(
        (value) => ({node, value}),
        (error: unknown) => ({node, error}),
      ),
    ),
  );
}

/** The first row, for statements that always answer one. */
export function only<Row>(rows: readonly Row[], node: Node): Row {
  const [row] = rows;
  if (row === undefined) throw unavailable('no-answer', `${node.name} answered no row where one was expected.`);
  return row;
}
