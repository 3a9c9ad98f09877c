import {join} from 'node:path';
import {messageOf, refused, unavailable} from '../../errors.ts';
import type {Ctx} from '../../plan/action.ts';
import type {Saved} from '../../ports/store.ts';
import type {Position} from '../../snapshot/position.ts';
import {claimMember, demandHeld, forgetClaim} from './claim.ts';
import {type Cluster, limitsOf, type Node, nodeOf, pollUntil} from './cluster.ts';
import {type Facts, readFacts} from './facts.ts';
import {prove} from './fence.ts';
import {wayOf} from './history.ts';
import {keepFile, privateFolder} from './save-files.ts';
import {type KeptRows, keepRows} from './save-rows.ts';
import {type KeptWal, keepWal, type Stretch} from './save-wal.ts';
import {besides} from './side-session.ts';
import {forkPoint, lsnText, type Way} from './timeline.ts';

/** What is kept, and where. */
type Keeping = {readonly node: Node; readonly upstream: Node; readonly stretch: Stretch; readonly now: Position; readonly dir: string};

/**
 * Keeps what a member holds and its upstream does not: the log from where the two parted, and the rows that were written behind that and are not
 * the same over there. A stopped member is started as a standby of nobody, and is one afterwards. Rows that the member deleted are only in the log.
 */
export async function save(cluster: Cluster, ctx: Ctx, node: Node, upstreamName: string, dir: string): Promise<Saved | null> {
  const upstream = nodeOf(cluster, upstreamName);
  const facts = await readable(cluster, ctx, node);
  const theirs = await readFacts(upstream, limitsOf(ctx));
  const [own, other] = [await wayOf(node, facts, ctx.signal), await wayOf(upstream, theirs, ctx.signal)];
  const stretch = stretchOf(node, own, upstream, other);
  return stretch === null ? null : keep(ctx, {node, upstream, stretch, now: other.position, dir});
}

/** Where the two parted, up to the member's own end; null when it holds nothing behind that. */
function stretchOf(node: Node, own: Way, upstream: Node, other: Way): Stretch | null {
  const fork = forkPoint(own, other);
  if (fork === null)
    throw refused('no-fork', `${node.name} and ${upstream.name} have no history in common: where they parted is not known.`);
  const end = own.position;
  if (end.lineage === other.position.lineage && end.epoch > other.position.epoch)
    throw refused(
      'newer-timeline',
      `${node.name} is on timeline ${end.epoch}, later than that of ${upstream.name} (${other.position.epoch}): it must not be put under it.`,
    );
  const same = fork.epoch === end.epoch && fork.epoch === other.position.epoch;
  // Both wrote on one timeline: the histories do not say from where on.
  if (same && BigInt(end.offset) > fork.offset)
    throw refused('same-timeline', `${node.name} is ahead of ${upstream.name} on timeline ${end.epoch}: where they parted is not known.`);
  return fork.epoch === end.epoch && BigInt(end.offset) <= fork.offset
    ? null
    : {epoch: fork.epoch, from: fork.offset, forks: own.forks, end};
}

/** A member that can be read and that nobody writes to: in recovery, or a primary that is closed. */
async function readable(cluster: Cluster, ctx: Ctx, node: Node): Promise<Facts> {
  const facts = await readFacts(node, limitsOf(ctx)).catch(() => null);
  if (facts === null) return startToRead(cluster, ctx, node);
  if (facts.recovering) return replayed(cluster, ctx, node);
  const proof = await prove(cluster, ctx, node);
  if (proof?.kind === 'closed' && proof.leaks.length === 0) return readFacts(node, limitsOf(ctx));
  if (proof === null)
    throw refused('not-fenced', `${node.name} runs as a primary and is not fenced: what it holds may still grow.`, {
      suggestions: [`Fence ${node.name} first.`],
    });
  // Its fence has leaks: as a standby it has none.
  if (node.host === null) throw refused('fence-leaks', `${node.name} may still be written to: ${proof.leaks.join(', ')}.`);
  await demandHeld(cluster, ctx, node);
  forgetClaim(cluster, node);
  await node.host.stop(ctx.signal);
  return startToRead(cluster, ctx, node);
}

/** It recovers what is on its disk and follows nobody. One that comes up as a primary all the same is stopped at once. */
async function startToRead(cluster: Cluster, ctx: Ctx, node: Node): Promise<Facts> {
  const {host} = node;
  if (host === null) throw unavailable('unreachable', `${node.name} does not answer, and the fleet file gives no control over its host.`);
  const {running, detail} = await host.status(ctx.signal);
  if (running !== false)
    throw unavailable('unreachable', `${node.name} does not answer, and its host does not say that it is stopped: ${detail}.`);
  await demandHeld(cluster, ctx, node);
  forgetClaim(cluster, node);
  await host.startAsStandby(null, ctx.signal);
  const facts = await replayed(cluster, ctx, node);
  if (!facts.recovering) {
    await host.stop(ctx.signal);
    throw refused('not-in-recovery', `${node.name} came up as a primary instead of a standby of nobody, and was stopped.`, {
      suggestions: ['Let startAsStandby of its host start it as a standby when {upstream} is empty.'],
    });
  }
  if (cluster.claimed) await claimMember(cluster, ctx, node);
  return facts;
}

/** A server that is starting is waited for, and until it has replayed all that it holds its position reads too low. */
async function replayed(cluster: Cluster, ctx: Ctx, node: Node): Promise<Facts> {
  let last: unknown = new Error('it has not replayed all that it holds');
  const facts = await pollUntil(cluster, ctx, {forMs: Number.POSITIVE_INFINITY, everyMs: 20}, async () => {
    const seen = await readFacts(node, limitsOf(ctx)).catch((error: unknown) => {
      last = error;
      return null;
    });
    return seen === null || (seen.recovering && seen.replaying) ? null : seen;
  });
  if (facts === null) throw unavailable('not-replayed', `${node.name} was started to be read: ${messageOf(last)}.`);
  return facts;
}

/** The log first: a server that goes on may remove it. */
async function keep(ctx: Ctx, keeping: Keeping): Promise<Saved> {
  const {node, upstream, stretch, dir} = keeping;
  await privateFolder(dir);
  const [log, rows] = [join(dir, 'wal'), join(dir, 'rows.ndjson')];
  return besides(ctx, node, async (member) => {
    const wal = await keepWal(member, stretch, log);
    const kept = await besides(ctx, upstream, (other) =>
      keepFile(rows, (handle) => keepRows({member, upstream: other, committed: wal.committed}, handle)),
    );
    const missing = missingOf(keeping, wal, kept);
    const summary = join(dir, 'summary.json');
    await keepFile(summary, (handle) => handle.writeFile(`${JSON.stringify(summaryOf(keeping, wal, kept, missing), null, 2)}\n`));
    return {
      rows: kept.rows,
      tables: kept.tables,
      walBytes: Number(BigInt(stretch.end.offset) - stretch.from),
      files: [rows, summary, ...wal.files],
      ...(missing.length === 0 ? {} : {missing}),
    };
  });
}

function missingOf({node, upstream}: Keeping, wal: KeptWal, kept: KeptRows): readonly string[] {
  const all = `every row that differs was kept, also those that only ${upstream.name} has changed`;
  const unread = wal.why === null ? [] : [`The log of ${node.name} could not be read: ${wal.why}; ${all}.`];
  return [...unread, ...kept.left.map((sentence) => `${sentence}.`)];
}

function summaryOf({node, upstream, stretch, now}: Keeping, wal: KeptWal, kept: KeptRows, missing: readonly string[]) {
  return {
    version: 1,
    member: node.name,
    upstream: upstream.name,
    lineage: stretch.end.lineage,
    parted: {timeline: stretch.epoch, at: lsnText(stretch.from)},
    end: {timeline: stretch.end.epoch, at: lsnText(BigInt(stretch.end.offset))},
    comparedWith: {timeline: now.epoch, from: lsnText(BigInt(now.offset))},
    rows: kept.rows,
    tables: kept.tables,
    tablesRead: kept.looked,
    wal: {bytes: String(BigInt(stretch.end.offset) - stretch.from), segments: wal.files.length, gone: wal.gone},
    missing,
  };
}
