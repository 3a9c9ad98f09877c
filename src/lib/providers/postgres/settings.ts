import {unavailable} from '../../errors.ts';
import type {Ctx} from '../../plan/action.ts';
import {act} from './claim.ts';
import {type Cluster, limitsOf, type Node, only, pollUntil} from './cluster.ts';
import {quoteIdent, quoteLiteral} from './sql.ts';

/**
 * Sets a server setting for good and waits until it is in force in a running backend, which means that the postmaster has read it and has
 * told all its children. Throws `not-in-force` after two seconds.
 */
export async function setSetting(cluster: Cluster, ctx: Ctx, node: Node, name: string, value: string): Promise<void> {
  await tellSetting(cluster, ctx, node, name, value);
  const seen = await pollUntil(cluster, ctx, {forMs: 2000, everyMs: 5}, async () =>
    (await getSetting(ctx, node, name)) === value ? true : null,
  );
  if (seen === null) throw unavailable('not-in-force', `${node.name} did not take ${name} = ${JSON.stringify(value)} within 2 s.`);
}

/** Sets it for good and does not wait: for who looks for its effect anyway. */
export async function tellSetting(cluster: Cluster, ctx: Ctx, node: Node, name: string, value: string): Promise<void> {
  await act(cluster, ctx, node, `alter system set ${quoteIdent(name)} = ${quoteLiteral(value)}`);
  await reload(cluster, ctx, node);
}

/** The value of a setting as a new statement sees it. */
export async function getSetting(ctx: Ctx, node: Node, name: string): Promise<string> {
  return only(await node.session.rows<{value: string}>('select current_setting($1) as "value"', [name], limitsOf(ctx)), node).value;
}

/** Asks the server to read its configuration again. */
export async function reload(cluster: Cluster, ctx: Ctx, node: Node): Promise<void> {
  await act(cluster, ctx, node, 'select pg_reload_conf()');
}
