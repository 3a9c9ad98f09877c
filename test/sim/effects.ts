import {messageOf, refused, unavailable} from '../../src/lib/errors.ts';
import type {Ctx} from '../../src/lib/plan/action.ts';
import type {Abilities} from '../../src/lib/ports/store.ts';
import {type Cell, known, unknown} from '../../src/lib/snapshot/cell.ts';
import type {Position} from '../../src/lib/snapshot/position.ts';
import {act, claimRest, setSetting} from './claim.ts';
import {askEach, type Cluster, type Facts, factsOf, limitsOf, type Node, nodeOf, pollUntil, readFacts} from './cluster.ts';
import {promote} from './power.ts';
import type {Backend, Server} from './server.ts';

const SEAL_MS = 2000;
const FOLLOW_MS = 10_000;

/** Makes standbys let go of their upstream, statement by statement as the real provider does. */
export function createSeal(cluster: Cluster): Abilities['seal'] {
  return {
    seal: async (ctx, members) => {
      const asked = await askEach(
        members.map((name) => nodeOf(cluster, name)),
        (node) => sealOne(cluster, ctx, node),
      );
      const sealed = asked.flatMap(({node, value}) => (value === undefined ? [] : [[node.name, value] as const]));
      if (sealed.length === 0 && members.length > 0)
        throw unavailable('seal-failed', `No standby let go of its upstream. ${asked.map(({error}) => messageOf(error)).join(' ')}`);
      return Object.fromEntries(sealed);
    },
    sealed: async (ctx, members) => {
      const cells = members.map(
        async (name) => [name, await asCell(cluster, async () => (await look(ctx, nodeOf(cluster, name))).letGo)] as const,
      );
      return Object.fromEntries(await Promise.all(cells));
    },
  };
}

async function sealOne(cluster: Cluster, ctx: Ctx, node: Node): Promise<Position> {
  const before = await look(ctx, node);
  if (!before.recovering) throw refused('not-a-standby', `${node.name} is a primary: only a standby can let go of its upstream.`);
  if (!before.letGo) await point(cluster, ctx, node, '');
  let quiet = 0;
  const gone = await pollUntil(cluster, ctx, {forMs: SEAL_MS, everyMs: 1}, async () => {
    quiet = (await look(ctx, node)).letGo ? quiet + 1 : 0;
    return quiet >= 2 ? true : null;
  });
  if (gone === null)
    throw unavailable('seal-timeout', `${node.name} still had a connection to its upstream ${SEAL_MS} ms after it was told to let go.`);
  return (await readFacts(node, limitsOf(ctx))).durable;
}

const look = (ctx: Ctx, node: Node): Promise<{letGo: boolean; recovering: boolean}> =>
  node.session.ask(
    'let go?',
    ({live, receiver, recovering}) => ({letGo: live.conninfo === '' && receiver === null, recovering}),
    limitsOf(ctx),
  );

/** A reading as a cell: what failed becomes unknown with its reason. */
export async function asCell<T>(cluster: Cluster, read: () => Promise<T>): Promise<Cell<T>> {
  try {
    return known(await read(), cluster.clock.wall(), 'sql');
  } catch (error) {
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'error';
    return unknown(code, messageOf(error), cluster.clock.wall());
  }
}

function point(cluster: Cluster, ctx: Ctx, node: Node, upstream: string): Promise<void> {
  return setSetting(cluster, ctx, node, {
    name: `primary_conninfo = '${upstream}'`,
    write: (server) => {
      server.file.conninfo = upstream;
    },
    inForce: ({live}) => live.conninfo === upstream,
  });
}

/** Points a standby at another upstream, without a restart. */
export function createFollow(cluster: Cluster): Abilities['follow'] {
  const pointAt = async (ctx: Ctx, member: string, upstream: string): Promise<void> => {
    const node = nodeOf(cluster, member);
    const {recovering} = await readFacts(node, limitsOf(ctx));
    if (!recovering) throw refused('not-a-standby', `${member} is a primary: it cannot follow ${upstream} before it was made a standby.`);
    await point(cluster, ctx, node, upstream);
  };
  return {
    point: pointAt,
    follow: async (ctx, member, upstream) => {
      await pointAt(ctx, member, upstream);
      const from = await readFacts(nodeOf(cluster, upstream), limitsOf(ctx)).then(
        ({durable}) => durable.epoch,
        () => 0,
      );
      await awaitStreaming(cluster, ctx, nodeOf(cluster, member), upstream, FOLLOW_MS, {from});
    },
    following: async (ctx, member) => {
      const facts = await readFacts(nodeOf(cluster, member), limitsOf(ctx));
      return facts.receiver === 'streaming' ? facts.upstream : null;
    },
  };
}

/** Waits until a member streams from `upstream` on a timeline of at least `from`; `fits` false = its data went another way. */
export async function awaitStreaming(
  cluster: Cluster,
  ctx: Ctx,
  node: Node,
  upstream: string,
  forMs: number,
  {fits = () => true, from = 0}: {readonly fits?: (facts: Facts) => boolean; readonly from?: number},
): Promise<void> {
  const end = await pollUntil(cluster, ctx, {forMs, everyMs: 5}, async () => {
    const facts = await readFacts(node, limitsOf(ctx));
    if (!fits(facts)) return 'forked';
    return facts.receiver === 'streaming' && facts.upstream === upstream && facts.durable.epoch >= from ? 'streams' : null;
  });
  if (end === 'streams') return;
  throw refused(
    'cannot-follow',
    `${node.name} does not stream from ${upstream}: ${end === 'forked' ? 'it holds writes that are not part of the history there' : 'it has no connection to it'}.`,
  );
}

/** Who must acknowledge. Set on a standby it waits there, and is in force from its first write as a primary. */
export function createDurability(cluster: Cluster): Abilities['durability'] {
  return {
    set: (ctx, member, rule) =>
      setSetting(cluster, ctx, nodeOf(cluster, member), {
        name: `synchronous_standby_names = ANY ${rule.need} (${rule.of.join(', ')})`,
        write: (server) => {
          server.file.rule = rule;
        },
        inForce: ({live}) => live.rule === rule,
      }),
    read: (ctx, member) => nodeOf(cluster, member).session.ask('show synchronous_standby_names', ({live}) => live.rule, limitsOf(ctx)),
  };
}

/** Promotion with its conditions inside the statement itself. */
export function createPromote(cluster: Cluster): Abilities['promote'] {
  return {
    promote: async (ctx, member, when) => {
      const node = nodeOf(cluster, member);
      await claimRest(cluster, ctx);
      const limit = await lastMoment(node, ctx, when.until);
      const why = await act(cluster, ctx, node, 'promote', (server, backend) =>
        judgeAndPromote(server, cluster.claimGranted ? server.lockedBy : backend, when.from, limit),
      );
      if (why !== null) throw refused('promote-refused', `${node.name} was not promoted: ${why}.`);
      const done = await pollUntil(cluster, ctx, {forMs: Number.POSITIVE_INFINITY, everyMs: 3}, async () =>
        (await node.session.ask('in recovery?', ({recovering}) => recovering, limitsOf(ctx))) ? null : true,
      );
      if (done === null)
        throw unavailable('promote-unfinished', `${node.name} was told to promote and was still in recovery at the deadline.`);
      return (await readFacts(node, limitsOf(ctx))).durable;
    },
  };
}

/** The server's clock is read before our own is asked how long the decision is still good. */
async function lastMoment(node: Node, ctx: Ctx, until: number): Promise<number> {
  const clock = await node.session.ask('clock', clockOf, limitsOf(ctx));
  const left = until - ctx.now();
  if (left <= 0)
    throw refused('promote-refused', `${node.name} was not promoted: what the decision rests on is ${Math.round(-left)} ms too old.`);
  return node.session.ask('clock + left', () => clock + left, limitsOf(ctx));
}

const clockOf = ({ground, skewMs}: Server): number => ground.scheduler.now + skewMs;

/** All of it is judged and done at one moment. Answers why not, or null. */
function judgeAndPromote(server: Server, backend: Backend | null, from: Position, limit: number): string | null {
  const {durable, recovering} = factsOf(server);
  const objections: readonly (readonly [boolean, string])[] = [
    [!recovering, 'it is a primary already'],
    [server.lockedBy !== backend, 'this session does not hold the claim'],
    [server.receiver !== null, 'it still receives from an upstream'],
    [durable.lineage !== from.lineage || durable.epoch !== from.epoch, `it is on timeline ${durable.epoch}, expected ${from.epoch}`],
    [BigInt(durable.offset) < BigInt(from.offset), `it holds ${durable.offset} bytes, expected at least ${from.offset}`],
    [clockOf(server) >= limit, 'the time that the decision was good for had passed'],
  ];
  const why = objections.find(([holds]) => holds)?.[1] ?? null;
  if (why === null && !server.promoting) promote(server);
  return why;
}
