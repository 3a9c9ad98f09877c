import type {Verdict} from '../health/verdict.ts';
import type {Rival} from '../snapshot/rivals.ts';
import type {StoreSnapshot} from '../snapshot/snapshot.ts';

/** How a store stands as a whole, with a sentence for each thing that needs a person's eye. */
export type StoreStanding = {readonly verdict: Verdict; readonly notes: readonly string[]};

/** Who moves the store, if not regionctl by hand. */
type Mover = Pick<StoreSnapshot, 'manager' | 'watched'>;

/**
 * How a store stands of which several members answer as writable primaries. Two that may acknowledge writes are a split brain, also where it cannot be told of
 * one whether it does. One that takes writes beside others that can acknowledge none is no split: those are stale, and no write is lost with them. As
 * bad as a split is what is left: nobody can acknowledge any, or only one that was passed by can.
 */
export function rivalNotes(store: string, rivals: readonly Rival[], mover: Mover): StoreStanding {
  const may = rivals.filter(({takes}) => takes !== false);
  const inert = rivals.filter(({takes}) => takes === false);
  const [taker] = may;
  const fix = fixOf(rivals, mover);
  const said = (says: string, more = ''): string => `${store}: ${says}${more}`;
  if (taker === undefined) {
    const none = 'no member that answers as a primary can acknowledge a write';
    return {verdict: 'unhealthy', notes: [said(`${none}: ${rivals.map(tells).join(', and ')}`, `; ${fix}`)]};
  }
  if (may.length > 1) {
    const split = `split brain: ${may.map(({member}) => member).join(' and ')} ${may.length === 2 ? 'both' : 'all'} run as primaries`;
    return {
      verdict: 'unhealthy',
      notes: [said(`${split}: ${may.map(tells).join(', and ')}`, `; ${fix}`), ...inert.map((one) => said(inertSays(one)))],
    };
  }
  if (taker.stale) {
    const passed = `${tells(taker)} although another member was promoted past it, which will not have them`;
    return {verdict: 'unhealthy', notes: [said(passed, `; ${fix}`), ...inert.map((one) => said(inertSays(one)))]};
  }
  return {verdict: 'degraded', notes: inert.map((one) => said(inertSays(one), `, while ${tells(taker)}; ${fixOf([taker, one], mover)}`))};
}

const tells = ({member, takes, says}: Rival): string =>
  takes === null ? `whether ${member} takes writes cannot be told: it ${says}` : `${member} ${says}`;

function inertSays({member, stale, epoch, says}: Rival): string {
  const what = stale ? 'is a stale primary' : 'answers as a primary';
  return `${member} ${what} (timeline ${epoch}) and can acknowledge nothing: it ${says}`;
}

/** What brings those back that were passed by. Where nobody was, it cannot be told who is right. */
function fixOf(rivals: readonly Rival[], {manager, watched}: Mover): string {
  const stale = rivals.filter((rival) => rival.stale).map(({member}) => member);
  if (stale.length === 0) return 'stop the one whose writes may be lost';
  if (stale.length === rivals.length) return 'the true primary is another one: bring its region back, or fail over from it';
  const names = stale.join(' and ');
  if (watched === true) return `whoever runs the store has to bring ${names} back`;
  if (manager !== undefined) return `${manager} has to bring ${names} back`;
  const [hold, back] = stale.length === 1 ? ['it holds', 'it back as a standby'] : ['they hold', 'them back as standbys'];
  return `\`regionctl failback run\` closes ${names}, keeps what ${hold} alone, and brings ${back}`;
}
