import type {Cell} from './cell.ts';
import {isStale, primariesOf} from './primaries.ts';
import type {Member, StoreSnapshot} from './snapshot.ts';

/** The members of a store as they were just seen, by name. */
export type Cells = Readonly<Record<string, Cell<Member>>>;

/** A member that answers as a writable primary. `takes` = it can acknowledge a write, null = it cannot be told. `stale` = another one has passed it by. */
export type Rival = {
  readonly member: string;
  readonly region: string;
  readonly takes: boolean | null;
  readonly stale: boolean;
  /** The timeline it is on. */
  readonly epoch: number;
  /** Why it takes writes or does not, without its name. */
  readonly says: string;
};

/** Every member that answers as a writable primary, the latest timeline first. Pure. */
export function rivalsOf(store: Pick<StoreSnapshot, 'members' | 'promoted'>): readonly Rival[] {
  return primariesOf(store)
    .filter(({member}) => member.writable)
    .map(({name, member}) => {
      const {region, durable} = member;
      return {member: name, region, epoch: durable.epoch, stale: isStale(store, member), ...byItsRule(name, member, store.members)};
    });
}

/** One that is fenced, or must wait for more standbys than follow it acknowledges nothing, however open it is. A rule that is not known holds nobody up. */
function byItsRule(name: string, {acknowledges, lowered, fenced, durable}: Member, cells: Cells): Pick<Rival, 'takes' | 'says'> {
  if (fenced !== undefined) return {takes: false, says: `is ${fenced}`};
  const {need, of} = lowered === true || acknowledges === undefined ? {need: 0, of: []} : acknowledges;
  const follows = of.map((other) => {
    const cell = cells[other];
    if (cell?.known !== true) return null;
    return cell.value.role === 'standby' && cell.value.upstream === name;
  });
  const sure = follows.filter((each) => each === true).length;
  const maybe = follows.filter((each) => each === null).length;
  if (sure >= need) return {takes: true, says: `takes writes (timeline ${durable.epoch})`};
  const waits = `waits with every commit for ${need} of ${of.join(', ')}`;
  if (sure + maybe >= need) return {takes: null, says: `${waits}, and it is not known who of them follows it`};
  return {takes: false, says: `${waits}, ${sure === 0 ? 'none of whom follows it' : `of whom ${sure} follows it`}`};
}
