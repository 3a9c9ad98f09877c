import type {Abilities, LinkReading} from '../../ports/store.ts';
import type {Cell} from '../../snapshot/cell.ts';
import {causeOf, type Ends, isCopying} from './cause.ts';
import {type Ensemble, isAt, memberAt, type Node} from './ensemble.ts';
import {type AllFacts, type Facts, primariesOf, readAll, upstreamOf} from './facts.ts';
import {type Figures, figuresOf, runwayOf} from './figures.ts';
import type {Listed} from './replication.ts';

/** Every link of the store, read from both of its ends at the same time: one for each member that is not the primary. */
export function createLinks(ensemble: Ensemble): Abilities['links'] {
  return {
    links: async (signal) => linksOf(ensemble, await readAll(ensemble, signal)),
  };
}

/** The links that one look at all members shows. The look is noted: it tells at the next one since when something is missing. */
export function linksOf(ensemble: Ensemble, facts: AllFacts): readonly LinkReading[] {
  const primary = primariesOf(facts)[0]?.name ?? namedPrimary(ensemble, facts);
  const read = [...ensemble.nodes.values()].filter(({name}) => name !== primary).map((node) => linkTo(ensemble, node, facts, primary));
  noteEnds(ensemble, facts);
  return read;
}

export function noteEnds({trail}: Ensemble, facts: AllFacts): void {
  for (const [name, cell] of Object.entries(facts))
    if (cell.known && cell.value.end !== null) trail.note(logOf(name, cell.value), cell.value.end, cell.value.at);
}

export const logOf = (name: string, {history}: Facts): string => `${name} ${history}`;

/** No primary answers: the silent member that others follow has no link of its own. */
function namedPrimary(ensemble: Ensemble, facts: AllFacts): string | null {
  const named = [...ensemble.nodes.values()].flatMap((node) => {
    const cell = facts[node.name];
    const upstream = cell?.known === true ? upstreamOf(ensemble, node, cell.value) : null;
    return upstream !== null && facts[upstream]?.known === false ? [upstream] : [];
  });
  return new Set(named).size === 1 ? (named[0] ?? null) : null;
}

function linkTo(ensemble: Ensemble, node: Node, facts: AllFacts, primary: string | null): LinkReading {
  const ends = endsOf(ensemble, node, facts, primary);
  const {from, own, sending, listed} = ends;
  const sender = sending?.known === true ? sending.value : null;
  const receiver = own.known ? own.value : null;
  const wrong = causeOf(ends);
  const figures = figuresOf({sender, receiver, isHanging: !own.known && own.code === 'timeout', listed});
  const now = ensemble.clock.wall();
  return {
    kind: 'replica',
    from,
    to: node.name,
    senderRead: sender !== null,
    senderState: listed === null ? null : listed.state === 'online' ? 'streaming' : listed.state,
    receiverConnected: receiver === null ? null : isConnected(ends, receiver),
    ...bytesOf(figures),
    lastReplayAgeSeconds: ageOf(ensemble, ends, figures),
    heardUpstreamAgoMs: receiver?.upstream?.heardSeconds == null ? null : receiver.upstream.heardSeconds * 1000,
    silentAfterMs: silentAfterMs(facts, ends),
    runwayBytes: runwayOf(sender, figures.applied),
    sync: listed === null ? null : 'async',
    sampleAgeMs: Math.max(0, now - Math.min(own.at, sending?.at ?? now)),
    trouble: wrong?.says ?? unreadSays(ends),
    ...(wrong === null ? {} : {cause: {code: wrong.code, state: wrong.state}}),
  };
}

/**
 * What is sent and has not arrived is not known: the sender does not tell. `writeBytes` is what has not been received, `flushBytes` and `replayBytes`
 * what has not been executed: a replica that is promoted throws away the rest.
 */
function bytesOf({end, received, applied, isSteady}: Figures) {
  const behind = (place: number | null): number | null => (end === null || place === null ? null : Math.max(0, end - place));
  const replay = behind(applied);
  return {
    sendBytes: null,
    writeBytes: behind(received),
    flushBytes: replay,
    replayBytes: replay,
    endOffset: end === null ? null : String(end),
    heldOffset: received === null ? null : String(received),
    // A place that is told once a second stands still between two looks though the replica goes on.
    replayOffset: applied === null || !isSteady ? null : String(applied),
  };
}

function endsOf(ensemble: Ensemble, node: Node, facts: AllFacts, primary: string | null): Ends {
  const own = facts[node.name] ?? {known: false, code: 'not-read', reason: `${node.name} was not read`, at: ensemble.clock.wall()};
  const said = own.known ? upstreamOf(ensemble, node, own.value) : whoLists(ensemble, node, facts);
  const from = said ?? primary ?? 'unknown';
  const sending = facts[from] ?? null;
  const listed = sending?.known === true ? listingOf(ensemble, from, node, facts) : null;
  return {to: node.name, from, own, sending, listed, primary, root: rootOf(ensemble, from, facts)};
}

function whoLists(ensemble: Ensemble, node: Node, facts: AllFacts): string | null {
  return Object.keys(facts).find((name) => name !== node.name && listingOf(ensemble, name, node, facts) !== null) ?? null;
}

/**
 * The entry of a member in its sender's list: by its address, as the sender sees it or as we do. Behind a translation of addresses the one entry that
 * is nobody else's belongs to the one member that has none.
 */
function listingOf(ensemble: Ensemble, from: string, node: Node, facts: AllFacts): Listed | null {
  const sender = facts[from];
  const by = ensemble.nodes.get(from) ?? null;
  if (sender?.known !== true) return null;
  const {listed} = sender.value;
  const own = listed.find(({address}) => isAt(node, address, by));
  if (own !== undefined) return own;
  const strangers = listed.filter(({address}) => memberAt(ensemble, address, by) === null);
  const missing = [...ensemble.nodes.values()].filter(
    (each) => follows(ensemble, each, from, facts) && !listed.some(({address}) => isAt(each, address, by)),
  );
  return strangers.length === 1 && missing.length === 1 && missing[0] === node ? (strangers[0] ?? null) : null;
}

function follows(ensemble: Ensemble, node: Node, from: string, facts: AllFacts): boolean {
  const cell = facts[node.name];
  return cell?.known === true && cell.value.upstream?.isUp === true && upstreamOf(ensemble, node, cell.value) === from;
}

/** Follows the chain of upstreams to its beginning. */
function rootOf(ensemble: Ensemble, from: string, facts: AllFacts): Ends['root'] {
  const seen = new Set<string>();
  for (let name = from; !seen.has(name); ) {
    seen.add(name);
    const cell = facts[name];
    const node = ensemble.nodes.get(name);
    if (cell === undefined || node === undefined) return null;
    if (!cell.known) return {name, role: 'unread'};
    const upstream = upstreamOf(ensemble, node, cell.value);
    if (upstream === null) return {name, role: 'primary'};
    name = upstream;
  }
  return null;
}

/** A full copy comes over the link too, which INFO calls down until it is done. */
function isConnected(ends: Ends, {role, upstream}: Facts): boolean {
  return role === 'standby' && (upstream?.isUp === true || isCopying(ends));
}

/** Since when something is missing, as earlier looks show. The age of an acknowledgement would not tell: what it acknowledged may have been old. */
function ageOf({trail, clock}: Ensemble, {from, sending}: Ends, {end, applied}: Figures): number | null {
  if (end === null || applied === null || sending?.known !== true) return null;
  return applied >= end ? 0 : trail.secondsSince(logOf(from, sending.value), applied, clock.now());
}

/**
 * A primary speaks at least once in this time, and what it says goes down a whole chain. Ages are whole seconds, on either side of a tick. One that cannot be
 * asked is taken to be set as its replica is, which may have to stand in for it.
 */
function silentAfterMs(facts: AllFacts, {root, own}: Ends): number | null {
  const cell = root === null ? undefined : facts[root.name];
  const told = cell?.known === true ? cell : own;
  const seconds = told.known ? told.value.settings.pingSeconds : null;
  return seconds === null ? null : (seconds + 2) * 1000;
}

function unreadSays({own, sending, from, to}: Ends): string | null {
  const says = [sending ?? null, own].flatMap((cell: Cell<Facts> | null) => (cell?.known === false ? [cell.reason] : []));
  if (says.length > 0) return says.join('; ');
  return sending === null ? `nobody tells whom ${to} replicates from${from === 'unknown' ? '' : `, perhaps ${from}`}` : null;
}
