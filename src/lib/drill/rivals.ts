import {isStale, primariesOf} from '../failover/find-primary.ts';
import type {Cell} from '../snapshot/cell.ts';
import type {Member} from '../snapshot/snapshot.ts';

/** The members of a store as they were just seen, by name. */
export type Cells = Readonly<Record<string, Cell<Member>>>;

/** A member that answers as a writable primary. `takes` = it can acknowledge a write, null = it cannot be told. `stale` = another one has passed it by. */
export type Rival = {
  readonly member: string;
  readonly region: string;
  readonly takes: boolean | null;
  readonly stale: boolean;
  /** Why it takes writes or does not, without its name. */
  readonly says: string;
};

const NOT_ASKED = {known: false, code: 'not-read', reason: 'not asked', at: 0} as const;

/** Every member that answers as a writable primary, the latest timeline first. Pure. */
export function rivalsOf(engine: string, cells: Cells): readonly Rival[] {
  const store = {engine, ack: NOT_ASKED, members: cells};
  return primariesOf(store)
    .filter(({member}) => member.writable)
    .map(({name, member}) => ({member: name, region: member.region, stale: isStale(store, member), ...byItsRule(name, member, cells)}));
}

/** One that must wait for more standbys than follow it acknowledges nothing, however open it is. A rule that is not known holds nobody up. */
function byItsRule(name: string, {acknowledges, durable}: Member, cells: Cells): Pick<Rival, 'takes' | 'says'> {
  const {need, of} = acknowledges ?? {need: 0, of: []};
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
