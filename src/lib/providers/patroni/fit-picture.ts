import {timeoutAwake} from '../../awake.ts';
import {readFacts} from '../postgres/facts.ts';
import type {AgentStatus, ClusterView, DynamicConfig} from './answers.ts';
import {type Ensemble, type Peer, type Reading, readAnyView, readConfig, readingOf, readStatus} from './ensemble.ts';
import {olderOf} from './version.ts';

/** A handover that is asked for. `from` null = nobody knows who was the primary. */
export type Move = {readonly from: string | null; readonly to: string; readonly planned: boolean};

/** What SQL says of one server. */
export type ServerView = {
  readonly recovering: boolean;
  readonly streaming: boolean;
  /** Its commits do not wait for standbys, whatever else is set (synchronous_commit off or local). */
  readonly weak: boolean;
};

/** Everything that a handover is judged by, read at one moment. */
export type Picture = {
  readonly store: string;
  readonly wanted: {readonly scope: string | null; readonly dcs: Ensemble['dcs']; readonly watchdog: Ensemble['watchdog']};
  readonly view: Reading<ClusterView>;
  readonly config: Reading<DynamicConfig>;
  readonly agents: Readonly<Record<string, Reading<AgentStatus>>>;
  readonly servers: Readonly<Record<string, Reading<ServerView>>>;
  /** Whether the host of a member says that its server runs; null = it does not say, or there is none. */
  readonly hosts: Readonly<Record<string, boolean | null>>;
  /** The version of each member's Patroni; of one that is silent, what it said before, else the oldest of the others. null = nobody told. */
  readonly versions: Readonly<Record<string, string | null>>;
};

const READ_MS = 2000;

/** Asks every Patroni, server and host at once. Whoever does not answer is a reading with the reason. */
export async function takePicture(ensemble: Ensemble, signal: AbortSignal): Promise<Picture> {
  const limits = {signal, timeoutMs: READ_MS};
  const {store, peers, scope, dcs, watchdog} = ensemble;
  const [view, config, agents, servers, hosts] = await Promise.all([
    readingOf(readAnyView(ensemble, limits)),
    readingOf(readConfig(ensemble, limits)),
    eachOf(peers, (peer) => readingOf(readStatus(ensemble, peer, limits))),
    eachOf(peers, (peer) => readingOf(readServer(peer, signal))),
    eachOf(peers, (peer) => hostRuns(peer, signal)),
  ]);
  return {store, wanted: {scope, dcs, watchdog}, view, config, agents, servers, hosts, versions: versionsOf(ensemble)};
}

async function readServer({node}: Peer, signal: AbortSignal): Promise<ServerView> {
  const {recovering, receiver, syncCommit} = await readFacts(node, {signal: AbortSignal.any([signal, timeoutAwake(READ_MS)])});
  return {recovering, streaming: receiver === 'streaming', weak: ['off', 'local'].includes(syncCommit)};
}

async function hostRuns({node}: Peer, signal: AbortSignal): Promise<boolean | null> {
  const limited = AbortSignal.any([signal, timeoutAwake(READ_MS)]);
  return (await node.host?.status(limited).catch(() => null))?.running ?? null;
}

/** Who is silent may run anything, so the oldest of the others is taken for it. */
function versionsOf({peers, versions}: Ensemble): Readonly<Record<string, string | null>> {
  const oldest = [...versions.values()].reduce<string | null>((found, next) => (found === null ? next : olderOf(found, next)), null);
  return Object.fromEntries(peers.map(({name}) => [name, versions.get(name) ?? oldest]));
}

async function eachOf<T>(peers: readonly Peer[], ask: (peer: Peer) => Promise<T>): Promise<Readonly<Record<string, T>>> {
  return Object.fromEntries(await Promise.all(peers.map(async (peer) => [peer.name, await ask(peer)] as const)));
}
