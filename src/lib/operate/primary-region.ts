import type {AuditedMember} from '../consistency/audit/model.ts';
import type {Store} from '../ports/store.ts';

/** The region of the one member that is a primary; null = there is none, or more than one, as among peers. */
export async function primaryRegion(store: Store, members: readonly AuditedMember[], signal: AbortSignal): Promise<string | null> {
  if (store.peers === true) return null;
  const cells = await store.observe(signal);
  const primaries = members.filter(({member}) => {
    const cell = cells[member];
    return cell?.known === true && cell.value.role === 'primary';
  });
  return primaries.length === 1 ? (primaries[0]?.region ?? null) : null;
}
