import type {Member, StoreSnapshot} from './snapshot.ts';

type Answering = {readonly name: string; readonly member: Member};

/** Every member that answers as a primary, the highest timeline first. More than one is a split, or a former primary that came back: see rivals.ts. */
export function primariesOf(store: Pick<StoreSnapshot, 'members'>): readonly Answering[] {
  return answering(store)
    .filter(({member}) => member.role === 'primary')
    .toSorted((a, b) => b.member.durable.epoch - a.member.durable.epoch);
}

/** Whether any member that answers is on a later timeline, or a run made one: then a promotion has passed this primary by, whoever holds it now. */
export function isStale(store: Pick<StoreSnapshot, 'members' | 'promoted'>, primary: Member): boolean {
  const later = [...answering(store).map(({member}) => member.durable), ...(store.promoted === undefined ? [] : [store.promoted])];
  return later.some(({lineage, epoch}) => lineage === primary.durable.lineage && epoch > primary.durable.epoch);
}

/** The members that answer, in the order of the snapshot. */
export function answering({members}: Pick<StoreSnapshot, 'members'>): readonly Answering[] {
  return Object.entries(members).flatMap(([name, cell]) => (cell.known ? [{name, member: cell.value}] : []));
}
