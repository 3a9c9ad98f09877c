import {messageOf, unavailable, usageError} from '../../errors.ts';
import type {ProviderContext, StorePart} from '../define.ts';
import {type Cluster, createCluster, type Node, nodeOf} from '../postgres/cluster.ts';
import {type AgentStatus, type ClusterView, clusterAnswer, configAnswer, type DynamicConfig, statusAnswer} from './answers.ts';
import type {Dcs, PatroniConfig, PatroniMember} from './provider.ts';
import {createRest, type Rest, type RestLimits, type RestPlace} from './rest.ts';

/** One member: its server, which is asked by SQL, and its Patroni, which is asked and told by REST. */
export type Peer = {readonly name: string; readonly node: Node; readonly agent: RestPlace};

/** A cluster that Patroni runs. Servers are only read; whatever is to change is asked of Patroni. */
export type Ensemble = {
  readonly store: string;
  readonly cluster: Cluster;
  readonly rest: Rest;
  readonly peers: readonly Peer[];
  readonly scope: string | null;
  /** null = the fleet file does not say. */
  readonly dcs: Dcs | null;
  readonly watchdog: PatroniConfig['watchdog'];
  /** Since when, on the monotonic clock, this process has seen another member hold the leader key. */
  readonly withoutKeySince: Map<string, number>;
  /** The version that a member's Patroni last told this process. */
  readonly versions: Map<string, string>;
};

/** What was asked of one member, or why there is no answer. */
export type Reading<T> = {readonly ok: true; readonly value: T} | {readonly ok: false; readonly code: string; readonly says: string};

/** Builds the members of one store. Nothing is opened yet. */
export function createEnsemble(part: StorePart<PatroniConfig, PatroniMember>, context: ProviderContext): Ensemble {
  const {restUser, restPassword, scope, dcs, watchdog} = part.config;
  const cluster = createCluster(part, context);
  const login = restUser === undefined || restPassword === undefined ? null : {user: restUser, password: restPassword};
  return {
    ...{store: part.name, cluster, watchdog},
    rest: createRest(login, context.secrets),
    peers: part.members.map(({name, config}) => ({
      name,
      node: nodeOf(cluster, name),
      agent: {member: name, url: config.rest.replace(/\/+$/, '')},
    })),
    scope: scope ?? null,
    dcs: dcs ?? null,
    withoutKeySince: new Map(),
    versions: new Map(),
  };
}

/** The member of that name. Throws a UsageError that lists the known ones. */
export function peerOf(ensemble: Ensemble, name: string): Peer {
  const peer = ensemble.peers.find((each) => each.name === name);
  if (peer !== undefined) return peer;
  throw usageError(`Store ${ensemble.store} has no member ${name}.`, {
    suggestions: [`Known members: ${ensemble.peers.map((each) => each.name).join(', ')}.`],
  });
}

/** What a member's Patroni says of itself. */
export async function readStatus(ensemble: Ensemble, {name, agent}: Peer, limits: RestLimits): Promise<AgentStatus> {
  const status = await ensemble.rest.read(agent, '/patroni', statusAnswer, limits);
  if (status.version !== null) ensemble.versions.set(name, status.version);
  return status;
}

/** The cluster as one member's Patroni reads it from the DCS at this moment. */
export async function readView(ensemble: Ensemble, {agent}: Peer, limits: RestLimits): Promise<ClusterView> {
  const view = await ensemble.rest.read(agent, '/cluster', clusterAnswer, limits);
  noteKey(ensemble, view.leader);
  return view;
}

/** The same from whoever answers first. Throws `no-patroni` with every reason when nobody does. */
export async function readAnyView(ensemble: Ensemble, limits: RestLimits, peers: readonly Peer[] = ensemble.peers): Promise<ClusterView> {
  return firstOf(ensemble, peers, (peer) => readView(ensemble, peer, limits));
}

/** The cluster as each member's Patroni reads it, all asked at once. */
export type Views = Readonly<Record<string, Reading<ClusterView>>>;

/** Asks every Patroni for its view. Nobody waits for another: whoever does not answer is a reading with the reason. */
export async function readViews(ensemble: Ensemble, limits: RestLimits): Promise<Views> {
  const asked = ensemble.peers.map(async (peer) => [peer.name, await readingOf(readView(ensemble, peer, limits))] as const);
  return Object.fromEntries(await Promise.all(asked));
}

/** The view that most of those share who answer, by the leader that they name; of as many, the first. null = nobody answers. */
export function sharedView(views: Views): ClusterView | null {
  const [most] = Object.values(byLeader(views)).toSorted((one, other) => (other?.length ?? 0) - (one?.length ?? 0));
  return most?.[0]?.view ?? null;
}

/** Who names whom, where they do not agree: `us and eu say us, ap says nobody`; null = they agree. */
export function disagreement(views: Views): string | null {
  const groups = Object.values(byLeader(views)).flatMap((each) => (each === undefined ? [] : [each]));
  if (groups.length < 2) return null;
  const each = groups.map(
    (by) => `${listOf(by.map(({name}) => name))} ${by.length === 1 ? 'says' : 'say'} ${by[0]?.view.leader ?? 'nobody'}`,
  );
  return each.join(', ');
}

/** `us`, `us and eu`, `us, eu and ap`. */
export const listOf = (names: readonly string[], last = 'and'): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} ${last} ${names.at(-1)}`;

type Viewer = {readonly name: string; readonly view: ClusterView};

/* Keys have a sign before them: a member may bear the name that stands for nobody, or a number. */
function byLeader(views: Views): Partial<Record<string, Viewer[]>> {
  const answers = Object.entries(views).flatMap(([name, view]) => (view.ok ? [{name, view: view.value}] : []));
  return Object.groupBy(answers, ({view: {leader}}) => (leader === null ? '-' : `+${leader}`));
}

/** The dynamic configuration from whoever answers first. Throws `no-patroni` when nobody does. */
export async function readConfig(ensemble: Ensemble, limits: RestLimits): Promise<DynamicConfig> {
  return firstOf(ensemble, ensemble.peers, ({agent}) => ensemble.rest.read(agent, '/config', configAnswer, limits));
}

/** An answer, or the reason why there is none: never throws. */
export async function readingOf<T>(asked: Promise<T>): Promise<Reading<T>> {
  try {
    return {ok: true, value: await asked};
  } catch (error) {
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'error';
    return {ok: false, code, says: messageOf(error).replace(/\.$/, '')};
  }
}

async function firstOf<T>(ensemble: Ensemble, peers: readonly Peer[], ask: (peer: Peer) => Promise<T>): Promise<T> {
  try {
    return await Promise.any(peers.map(ask));
  } catch (error) {
    const reasons = error instanceof AggregateError ? error.errors.map(messageOf).join(' ') : messageOf(error);
    throw unavailable('no-patroni', `No Patroni of ${ensemble.store} tells the state of its cluster. ${reasons}`, {cause: error});
  }
}

/**
 * Counts only what is certain: that another one holds the key. Nobody being listed with it may also mean that the holder's entry has run out
 * before its key.
 */
function noteKey(ensemble: Ensemble, leader: string | null): void {
  if (leader === null) return;
  const now = ensemble.cluster.clock.now();
  for (const {name} of ensemble.peers) {
    if (name === leader) ensemble.withoutKeySince.delete(name);
    else if (!ensemble.withoutKeySince.has(name)) ensemble.withoutKeySince.set(name, now);
  }
}
