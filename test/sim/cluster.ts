import type {Ctx} from '../../src/lib/plan/action.ts';
import type {Clock} from '../../src/lib/ports/clock.ts';
import type {Host} from '../../src/lib/ports/host.ts';
import type {Position} from '../../src/lib/snapshot/position.ts';
import {simHost} from './host.ts';
import type {Process} from './process.ts';
import type {Backend, Rule, Server} from './server.ts';
import {type Limits, Session, type Statement} from './session.ts';

/** One member as a process sees it. */
export type Node = {readonly name: string; readonly server: Server; readonly host: Host | null; readonly session: Session};

/** A store's members and what they share, in one process. Mirrors the cluster of the real provider. */
export type Cluster = {
  readonly process: Process;
  readonly clock: Clock;
  readonly nodes: ReadonlyMap<string, Node>;
  readonly claims: Map<string, Backend>;
  claimed: boolean;
  wanted: readonly string[];
  evicts: boolean;
  /** Only for mutants: whoever asks has the claim; statements are not bound to it. */
  readonly claimGranted: boolean;
  readonly unbound: boolean;
};

/** What one statement tells of one member. */
export type Facts = {
  readonly recovering: boolean;
  readonly durable: Position;
  readonly applied: Position;
  readonly conninfo: string;
  /** `streaming` = it is connected; `connecting` = a receiver runs and is not let in yet. */
  readonly receiver: 'streaming' | 'connecting' | null;
  readonly upstream: string | null;
  readonly heardAgoMs: number | null;
  readonly replaying: boolean;
  readonly nextWrite: number;
  readonly rule: Rule;
};

/** Bytes of a record: positions are bytes, as the engine expects. */
const RECORD_BYTES = 100;
const LEAST_MS = 100;

export function createCluster(
  process: Process,
  {claimGranted = false, unbound = false}: {readonly claimGranted?: boolean; readonly unbound?: boolean},
): Cluster {
  const nodes = process.fleet.names.map((name, index): Node => {
    const server = process.fleet.server(name);
    const can = process.fleet.setup.hosts[index] ?? 'none';
    const host = can === 'none' ? null : simHost(process, server, can === 'rewind');
    return {name, server, host, session: new Session(process, server)};
  });
  return {
    process,
    clock: process.clock(),
    nodes: new Map(nodes.map((node) => [node.name, node])),
    claims: new Map(),
    claimed: false,
    wanted: [],
    evicts: false,
    claimGranted,
    unbound,
  };
}

export function nodeOf(cluster: Cluster, name: string): Node {
  const node = cluster.nodes.get(name);
  if (node === undefined) throw new Error(`there is no member ${name}`);
  return node;
}

/** The named members, default all of them. */
export const nodesOf = (cluster: Cluster, members?: readonly string[]): readonly Node[] =>
  [...cluster.nodes.values()].filter(({name}) => members === undefined || members.includes(name));

/** The limits of a statement within an effect: what is left of its deadline, at most `atMostMs`. */
export function limitsOf(ctx: Ctx, atMostMs = 1500): Limits {
  return {timeoutMs: Math.max(LEAST_MS, Math.min(atMostMs, Math.ceil(ctx.deadline - ctx.now()))), signal: ctx.signal};
}

/** A statement that changes something: there must be an intent on record for it. `on` = the connection that holds the claim. */
export function send<T>(cluster: Cluster, ctx: Ctx, node: Node, label: string, statement: Statement<T>, on: Backend | null): Promise<T> {
  const {process} = cluster;
  if (process.alive && process.openIntent === null) {
    process.fleet.truth.violate('effect-before-intent', `${process.name} sends "${label}" to ${node.name} and no intent is on record`);
  }
  return node.session.ask(label, statement, {...limitsOf(ctx), ...(on === null ? {} : {on})});
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

/** What came of asking several members at once. */
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

export function readFacts(node: Node, limits: Limits): Promise<Facts> {
  return node.session.ask('facts', factsOf, limits);
}

export function factsOf(server: Server): Facts {
  const at = (records: number): Position => ({lineage: 'L', epoch: server.epoch, offset: String(records * RECORD_BYTES)});
  const {receiver} = server;
  const live = receiver?.accepted === true;
  return {
    recovering: server.recovering,
    durable: at(server.log.length),
    applied: at(server.replayed),
    conninfo: server.live.conninfo,
    receiver: receiver === null ? null : live ? 'streaming' : 'connecting',
    upstream: !server.recovering ? null : live ? receiver.up.name : server.live.conninfo === '' ? null : server.live.conninfo,
    heardAgoMs: live ? server.ground.scheduler.now - receiver.heardAt : null,
    replaying: server.replaying,
    nextWrite: server.log.length,
    rule: server.live.rule,
  };
}

/** The members that say they are primary, the one on the highest timeline first. */
export function primariesOf(facts: readonly {readonly node: Node; readonly value?: Facts}[]): readonly {name: string; facts: Facts}[] {
  return facts
    .flatMap(({node, value}) => (value !== undefined && !value.recovering ? [{name: node.name, facts: value}] : []))
    .toSorted((a, b) => b.facts.durable.epoch - a.facts.durable.epoch || a.name.localeCompare(b.name));
}
