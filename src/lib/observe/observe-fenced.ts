import {inTime} from '../awake.ts';
import type {Clock} from '../ports/clock.ts';
import type {Store} from '../ports/store.ts';
import type {Cell} from '../snapshot/cell.ts';
import {type Cells, rivalsOf} from '../snapshot/rivals.ts';
import type {Member} from '../snapshot/snapshot.ts';

/** A proof that comes later than this is none: what was observed must not wait for it. */
const PROVE_MS = 1500;

/**
 * The members of a store, with `fenced` for those of several primaries of which it is proven. Whoever is closed to all but us answers us as open, and only
 * its own settings tell. Where one primary at most may take writes nobody is asked. Rejects as `observe` does; a proof that cannot be had is none.
 */
export async function observeFenced(store: Store, clock: Pick<Clock, 'now'>, signal: AbortSignal): Promise<Cells> {
  const cells = await store.observe(signal);
  const {fence} = store.abilities;
  const open = rivalsOf({members: cells}).filter(({takes}) => takes !== false);
  if (fence === undefined || open.length < 2) return cells;
  const now = () => clock.now();
  const ctx = {runId: 'observe', token: 'none', signal, now, deadline: now() + PROVE_MS};
  const proven = await Promise.all(
    open.map(async ({member}) => {
      const proof = await inTime(fence.prove(ctx, member), PROVE_MS).catch(() => null);
      return [member, proof?.kind] as const;
    }),
  );
  const kinds = new Map(proven);
  return Object.fromEntries(Object.entries(cells).map(([name, cell]) => [name, fencedCell(cell, kinds.get(name))]));
}

function fencedCell(cell: Cell<Member>, fenced: Member['fenced']): Cell<Member> {
  return cell.known && fenced !== undefined ? {...cell, value: {...cell.value, fenced}} : cell;
}
