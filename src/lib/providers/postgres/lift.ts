import {isRegionctlError, messageOf, refused, unavailable} from '../../errors.ts';
import type {Ctx} from '../../plan/action.ts';
import type {Host} from '../../ports/host.ts';
import {claimMember, demandHeld} from './claim.ts';
import {type Cluster, limitsOf, type Node, only, pollUntil} from './cluster.ts';
import {destroy, endClient, openClient} from './connect.ts';
import {primariesOf, readAll, readFacts} from './facts.ts';
import {dropKept, type Hba, hasKept, readHba, restoreKept, whereAllowed} from './hba.ts';
import {reload} from './settings.ts';
import {endStall, hasStall} from './stall.ts';

/**
 * Lifts a fence. `following`: the member must be a standby that streams. `undo`: no other member may be a primary on a later timeline; a member
 * that its host stopped is started first. Not closed, and no file kept = nothing to put back.
 */
export async function lift(cluster: Cluster, ctx: Ctx, node: Node, when: 'following' | 'undo'): Promise<void> {
  if (when === 'undo') await startAgain(cluster, ctx, node);
  const stalled = await hasStall(ctx, node);
  const hba = await whereAllowed(() => readHba(cluster, ctx, node));
  const kept = hba !== null && (await hasKept(ctx, node, hba));
  const closed = hba !== null && (hba.closed || kept);
  if (!stalled && !closed) return;
  await (when === 'undo' ? requireStillPrimary(cluster, ctx, node) : requireFollowing(ctx, node));
  if (stalled) await endStall(cluster, ctx, node);
  if (!closed) return;
  if (!kept) {
    throw refused('lift-refused', `${hba.path}.regionctl on ${node.name} is missing or empty: there is no file to put back.`, {
      suggestions: [`Write ${hba.path} by hand and reload.`],
    });
  }
  await openAgain(cluster, ctx, node, hba);
}

/** A process that ended after it had put the file back may not have had it loaded: so the reload comes in any case, and the kept file goes last. */
async function openAgain(cluster: Cluster, ctx: Ctx, node: Node, hba: Hba): Promise<void> {
  const {now} = await readFacts(node, limitsOf(ctx));
  if (hba.closed) await restoreKept(cluster, ctx, node, hba);
  await reload(cluster, ctx, node);
  const loaded = await pollUntil(cluster, ctx, {forMs: 2000, everyMs: 10}, async () => ((await loadedAt(node)) >= now ? true : null));
  if (loaded === null) throw unavailable('not-in-force', `${node.name} did not load its pg_hba file again within 2 s.`);
  await dropKept(cluster, ctx, node, hba);
}

async function requireFollowing(ctx: Ctx, node: Node): Promise<void> {
  const facts = await readFacts(node, limitsOf(ctx));
  if (!facts.recovering)
    throw refused('lift-refused', `${node.name} is a primary: its fence stays until it was seen in recovery and following.`);
  if (facts.receiver === 'streaming') return;
  throw refused(
    'lift-refused',
    `${node.name} does not stream from an upstream (its receiver is ${facts.receiver ?? 'not running'}): its fence stays.`,
  );
}

async function requireStillPrimary(cluster: Cluster, ctx: Ctx, node: Node): Promise<void> {
  const facts = await readAll(cluster, ctx.signal);
  const [primary] = primariesOf(facts);
  if (primary?.name === node.name) return;
  const says = primary === undefined ? 'no member says that it is the primary' : `${primary.name} is the primary now`;
  throw refused('lift-refused', `The fence of ${node.name} stays: ${says}.`);
}

/** Whoever told it to stop may have been cut short: it goes on stopping, and is waited for until it answers or is down. */
async function isStopped(cluster: Cluster, ctx: Ctx, node: Node, host: Host): Promise<boolean> {
  const stopped = await pollUntil(cluster, ctx, {forMs: STOPPING_MS, everyMs: 50}, async () => {
    const {running} = await host.status(ctx.signal);
    if (running === false) return {stopped: true};
    const trouble = await readFacts(node, limitsOf(ctx)).then(
      () => null,
      (error: unknown) => (isRegionctlError(error) ? error.code : 'error'),
    );
    return running === true && trouble !== null && STOPPING.has(trouble) ? null : {stopped: false};
  });
  return stopped?.stopped === true;
}

/** What a server says that is going down; one that says nothing is frozen. */
const STOPPING: ReadonlySet<string> = new Set(['starting', 'refused', 'reset']);
/** A clean stop writes everything out first. */
const STOPPING_MS = 30_000;

/** A server that was stopped by its host is started as its data says, and claimed again. */
async function startAgain(cluster: Cluster, ctx: Ctx, node: Node): Promise<void> {
  if (node.host === null || !(await isStopped(cluster, ctx, node, node.host))) return;
  const facts = await readAll(cluster, ctx.signal);
  const [primary] = primariesOf(facts);
  if (primary !== undefined) throw refused('lift-refused', `${node.name} stays stopped: ${primary.name} is the primary now.`);
  await demandHeld(cluster, ctx, node);
  await node.host.start(ctx.signal);
  let last: unknown = null;
  const up = await pollUntil(cluster, ctx, {forMs: Number.POSITIVE_INFINITY, everyMs: 20}, () =>
    readFacts(node, limitsOf(ctx)).catch((error: unknown) => {
      last = error;
      return null;
    }),
  );
  if (up === null)
    throw unavailable(isRegionctlError(last) ? last.code : 'timeout', `${node.name} was started and does not answer. ${messageOf(last)}`);
  if (cluster.claimed) await claimMember(cluster, ctx, node);
}

/** When the postmaster last read its files, in epoch ms: a new backend inherits that from it. */
async function loadedAt(node: Node): Promise<number> {
  const client = await openClient(node.place, 1000, () => undefined);
  try {
    const {rows} = await client.query<{at: number}>('select (extract(epoch from pg_conf_load_time()) * 1000)::float8 as "at"');
    return only(rows, node).at;
  } catch (error) {
    destroy(client);
    throw error;
  } finally {
    await endClient(client);
  }
}
