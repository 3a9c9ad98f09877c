import type {Ctx} from '../../plan/action.ts';
import type {Node} from './cluster.ts';
import {besides} from './side-session.ts';

/** A checkpoint, for as long as it takes: on a connection of its own, because a member's session is there for what is short. */
export async function writeOut(ctx: Ctx, node: Node): Promise<void> {
  await besides(ctx, node, (session) => session.rows('checkpoint'));
}
