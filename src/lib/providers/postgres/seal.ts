import {messageOf, refused, unavailable} from '../../errors.ts';
import type {Ctx} from '../../plan/action.ts';
import type {Abilities} from '../../ports/store.ts';
import type {Cell} from '../../snapshot/cell.ts';
import type {Position} from '../../snapshot/position.ts';
import {askEach, type Cluster, limitsOf, type Node, nodeOf, only, pollUntil} from './cluster.ts';
import {asCell, durableOf, readFacts} from './facts.ts';
import {getSetting, reload, tellSetting} from './settings.ts';

const SEAL_MS = 2000;

/* The view hides a receiver that is still connecting; the process list shows it. */
export const LET_GO = `
select current_setting('primary_conninfo') = '' and not exists (select from pg_stat_wal_receiver)
  and not exists (select from pg_stat_activity where backend_type = 'walreceiver') as "letGo", pg_is_in_recovery() as "recovering"`;

/** Makes standbys let go of their upstream, so that no further write can reach them. */
export function createSeal(cluster: Cluster): Abilities['seal'] {
  return {seal: (ctx, members) => sealAll(cluster, ctx, members), sealed: (ctx, members) => sealedAll(cluster, ctx, members)};
}

/**
 * All members at once. A member that could not be sealed is missing in the answer: the caller counts whether enough of them let go.
 * Throws `seal-failed` when none did.
 */
async function sealAll(cluster: Cluster, ctx: Ctx, members: readonly string[]): Promise<Readonly<Record<string, Position>>> {
  const asked = await askEach(
    members.map((name) => nodeOf(cluster, name)),
    (node) => sealOne(cluster, ctx, node),
  );
  const sealed = asked.flatMap(({node, value}) => (value === undefined ? [] : [[node.name, value] as const]));
  if (sealed.length === 0 && members.length > 0) {
    const first = asked[0]?.error;
    throw unavailable(
      'seal-failed',
      `No standby of ${cluster.store} let go of its upstream. ${asked.map(({error}) => messageOf(error)).join(' ')}`,
      {
        cause: first,
      },
    );
  }
  return Object.fromEntries(sealed);
}

async function sealOne(cluster: Cluster, ctx: Ctx, node: Node): Promise<Position> {
  const before = await look(ctx, node);
  if (!before.recovering) throw refused('not-a-standby', `${node.name} is a primary: only a standby can let go of its upstream.`);
  if (!before.letGo) await tellSetting(cluster, ctx, node, 'primary_conninfo', '');
  // The startup process reads the new setting a moment after the backends do and could start one more receiver before: look twice; who relies on
  // it looks once more, and a promotion in its own statement.
  let quiet = 0;
  const gone = await pollUntil(cluster, ctx, {forMs: SEAL_MS, everyMs: 1}, async () => {
    quiet = (await look(ctx, node)).letGo ? quiet + 1 : 0;
    return quiet >= 2 ? true : null;
  });
  if (gone === null && (await getSetting(ctx, node, 'primary_conninfo')) !== '')
    throw unavailable('not-in-force', `${node.name} did not take primary_conninfo = "" within ${SEAL_MS} ms.`);
  if (gone === null)
    throw unavailable('seal-timeout', `${node.name} still had a connection to its upstream ${SEAL_MS} ms after it was told to let go.`);
  const facts = await readFacts(node, limitsOf(ctx));
  // It may sleep for wal_retrieve_retry_interval before it reads what came last.
  if (facts.applied !== facts.durable) await reload(cluster, ctx, node);
  return durableOf(facts);
}

async function sealedAll(cluster: Cluster, ctx: Ctx, members: readonly string[]): Promise<Readonly<Record<string, Cell<boolean>>>> {
  const cells = members.map(async (name) => {
    const node = nodeOf(cluster, name);
    return [name, await asCell(cluster, async () => (await look(ctx, node)).letGo)] as const;
  });
  return Object.fromEntries(await Promise.all(cells));
}

async function look(ctx: Ctx, node: Node): Promise<{letGo: boolean; recovering: boolean}> {
  return only(await node.session.rows<{letGo: boolean; recovering: boolean}>(LET_GO, [], limitsOf(ctx)), node);
}
