import {formatMs} from '../output/units.ts';
import type {Finding} from '../ports/finding.ts';
import {byLength, type Contribution, type StageTotal, type WorstCase} from './worst-case.ts';

/** So many contributions are told of each stage; the others are counted. */
const TOLD = 3;

/**
 * What `doctor` says of one service class: an error when its objective cannot be met, with the longest contribution and what mends it; unknown
 * when it fits as far as it is known. `peopleMs`: how long approval may take, which is told and not counted.
 */
export function worstCaseFinding(worst: WorstCase, peopleMs: number | null): Finding {
  const {service, class: name, rtoMs, others, met, unknown} = worst;
  const check = `worst case ${name}`;
  const who = `${service} (${name}, RTO ${formatMs(rtoMs)})`;
  const apart = peopleMs === null ? '' : `; people may take ${formatMs(peopleMs)} more to approve, which is not counted`;
  const [first] = unknown;
  if (met === false) {
    const [longest] = longestFirst(worst);
    const also = others.length === 0 ? '' : `; nor can ${others.join(', ')}`;
    const most = longest === undefined ? '' : `; the longest part: ${longest.why}`;
    return {check, verdict: 'error', says: `${who} cannot be met: ${figures(worst)}${most}${also}${apart}`, fix: fixOf(worst)};
  }
  if (first === undefined) return {check, verdict: 'pass', says: `${who}: ${figures(worst)}${apart}`, fix: null};
  const more = unknown.length === 1 ? '' : ` (and ${unknown.length - 1} more)`;
  return {
    check,
    verdict: 'unknown',
    says: `${who}: ${figures(worst)}; not known: ${first.what}: ${first.why}${more}${apart}`,
    fix: first.fix,
  };
}

function figures({detect, cutOver, totalMs, unknown}: WorstCase): string {
  const total = `worst case ${unknown.length > 0 && Number.isFinite(totalMs) ? 'at least ' : ''}${duration(totalMs)}`;
  return `${total}: ${stage(detect, 'to notice')}, ${stage(cutOver, 'to cut over')}`;
}

function stage({ms, counted}: StageTotal, what: string): string {
  if (counted.length === 0) return `no wait ${what}`;
  const told = counted.slice(0, TOLD).map((each) => `${each.what} ${duration(each.ms ?? 0)}`);
  const more = counted.length - told.length;
  return `${duration(ms)} ${what} (${[...told, ...(more > 0 ? [`${more} more`] : [])].join(', ')})`;
}

function duration(ms: number): string {
  return Number.isFinite(ms) ? formatMs(ms) : 'without a limit';
}

function longestFirst({detect, cutOver}: WorstCase): readonly Contribution[] {
  return [...detect.counted, ...cutOver.counted].toSorted(byLength);
}

/** The fix of the longest contribution that has one: our own limits have none. */
function fixOf(worst: WorstCase): string {
  const mendable = longestFirst(worst).find(({fix}) => fix !== null);
  return mendable?.fix ?? `raise the RTO of ${worst.service} in the fleet file: nothing that can be set is in the way`;
}
