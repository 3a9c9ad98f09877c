import {isNotOurs, isRegionctlError, refused, unavailable} from '../../errors.ts';
import type {Ctx} from '../../plan/action.ts';
import type {Abilities} from '../../ports/store.ts';
import {act} from './claim.ts';
import {type Cluster, limitsOf, type Node, nodeOf, pollUntil, upstreamAddress} from './cluster.ts';
import {addressText, buildConninfo} from './conninfo.ts';
import {type Facts, readFacts, upstreamOf} from './facts.ts';
import {setSetting} from './settings.ts';

const FOLLOW_MS = 10_000;

/** Points a standby at another upstream, without a restart. */
export function createFollow(cluster: Cluster): Abilities['follow'] {
  return {
    follow: async (ctx, member, upstream) => {
      await point(cluster, ctx, nodeOf(cluster, member), upstream);
      await awaitStreaming(cluster, ctx, nodeOf(cluster, member), upstream, FOLLOW_MS, {from: await timelineOf(cluster, ctx, upstream)});
    },
    point: (ctx, member, upstream) => point(cluster, ctx, nodeOf(cluster, member), upstream).catch(unlessNoSlot),
    following: async (ctx, member) => {
      const node = nodeOf(cluster, member);
      const facts = await readFacts(node, limitsOf(ctx));
      return facts.receiver === 'streaming' ? upstreamOf(cluster, node, facts) : null;
    },
  };
}

/** It is pointed there by then; an upstream that is away cannot be asked for the slot that the standby had at it before. */
function unlessNoSlot(error: unknown): void {
  if (!isRegionctlError(error) || error.code !== 'no-slot') throw error;
}

/** The timeline that an upstream is on; 0 when it does not say. */
async function timelineOf(cluster: Cluster, ctx: Ctx, upstream: string): Promise<number> {
  return readFacts(nodeOf(cluster, upstream), limitsOf(ctx)).then(
    ({timeline}) => timeline,
    () => 0,
  );
}

/** `fits` false = its data went another way. `from` = the timeline that it must have reached: the stream of an older one ends where that ended, and begins anew. */
type Streaming = {readonly fits?: (facts: Facts) => boolean; readonly from?: number};

async function point(cluster: Cluster, ctx: Ctx, node: Node, upstream: string): Promise<void> {
  const facts = await readFacts(node, limitsOf(ctx));
  if (!facts.recovering)
    throw refused('not-a-standby', `${node.name} is a primary: it cannot follow ${upstream} before it was made a standby.`);
  const {host, port} = upstreamAddress(cluster, node, upstream);
  const parts = {host, port: String(port), user: cluster.replicationUser, application_name: node.name, passfile: node.passfile ?? ''};
  await setSetting(cluster, ctx, node, 'primary_conninfo', buildConninfo(parts));
  // The setting comes first: an upstream that is down now must not keep a standby sealed.
  if (facts.slotName !== '') await ensureSlot(cluster, ctx, nodeOf(cluster, upstream), facts.slotName);
}

/**
 * Waits until a member streams from `upstream`. Throws `cannot-follow` after `forMs`, or at once when `fits` says that its data went another
 * way: such a standby serves old rows and tries for ever.
 */
export async function awaitStreaming(
  cluster: Cluster,
  ctx: Ctx,
  node: Node,
  upstream: string,
  forMs: number,
  {fits = () => true, from = 0}: Streaming = {},
): Promise<void> {
  const {host, port} = upstreamAddress(cluster, node, upstream);
  let last: Facts | null = null;
  const end = await pollUntil(cluster, ctx, {forMs, everyMs: 5}, async () => {
    last = await readFacts(node, limitsOf(ctx));
    if (!fits(last)) return 'forked';
    const streams = last.receiver === 'streaming' && last.senderHost === host && last.senderPort === port;
    return streams && last.timeline >= from ? 'streams' : null;
  });
  if (end === 'streams') return;
  throw refused(
    'cannot-follow',
    `${node.name} does not stream from ${upstream} (${addressText({host, port})}): ${whyNot(end, last, from)}.`,
    {
      suggestions: [`Rebuild ${node.name} from ${upstream}.`],
    },
  );
}

function whyNot(end: string | null, facts: Facts | null, from: number): string {
  if (end === 'forked') return 'it holds writes that are not part of the history there';
  if (facts !== null && facts.receiver !== null && facts.timeline < from)
    return `its receiver is ${facts.receiver}, and it is still on timeline ${facts.timeline} of ${from}`;
  return facts?.receiver == null ? 'it has no connection to it' : `its receiver is ${facts.receiver}`;
}

/** A standby that is set to use a slot stalls for ever at an upstream that does not have it. */
export async function ensureSlot(cluster: Cluster, ctx: Ctx, upstream: Node, slot: string): Promise<void> {
  const create =
    'select pg_create_physical_replication_slot($1, true) where not exists (select from pg_replication_slots where slot_name = $1)';
  try {
    await act(cluster, ctx, upstream, create, [slot]);
  } catch (error) {
    if (isNotOurs(error)) throw error;
    throw unavailable('no-slot', `The replication slot ${slot} could not be created on ${upstream.name}.`, {cause: error});
  }
}
