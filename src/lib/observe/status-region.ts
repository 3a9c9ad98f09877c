import type {AgedCell} from '../operate/dashboard-view.ts';
import type {RegionFacts} from '../operate/region-facts.ts';
import {isPromotable} from '../snapshot/snapshot.ts';
import type {StatusHeadroom, StatusLoss, StatusReady, StatusRole} from './status-document.ts';

/** `sources` = the regions that could be left; `at` = epoch ms, what ages are counted to. */
type Place = {readonly region: string; readonly roles: readonly StatusRole[]; readonly sources: readonly string[]; readonly at: number};

/** What is told of a region that nothing more is known of. */
export const NO_FACTS: RegionFacts = {
  loss: {value: null, at: null, why: null},
  ready: {value: [], at: null, why: null},
  headroom: {value: null, at: null, why: null},
};

/** Ms from then to now; null = it never was. */
export const ageAt = (then: number | null, at: number): number | null => (then === null ? null : Math.max(0, Math.round(at - then)));

/** The loss, readiness and headroom of one region as its document has them. What is not known says why. */
export function factsPart({loss, ready, headroom}: RegionFacts, place: Place) {
  return {loss: lossPart(loss, place), ready: readyPart(ready, place), headroom: headroomPart(headroom, place)};
}

function lossPart({value, at: read, why}: RegionFacts['loss'], {roles, at}: Place): readonly StatusLoss[] | null {
  const stores = [...new Set(roles.filter(({role}) => isPromotable(role)).map(({store}) => store))];
  if (stores.length === 0 || (value === null && why === null)) return null;
  const ageMs = ageAt(read, at);
  return stores.map((name): StatusLoss => {
    const row = value?.find(({store}) => store === name);
    if (row === undefined) return {...NOTHING, store: name, basis: why ?? 'it was not read', ageMs: null};
    const {store, bytes, transactions, seconds, certainty, withinRpo, basis, watched} = row;
    return {store, bytes, transactions, seconds, certainty, withinRpo, basis, ...(watched === true ? {watched} : {}), ageMs};
  });
}

const NOTHING = {bytes: null, transactions: null, seconds: null, certainty: 'unknown', withinRpo: null} as const;

function readyPart({value, at: read, why}: RegionFacts['ready'], {region, sources, at}: Place): readonly StatusReady[] {
  const ageMs = ageAt(read, at);
  if (value === null)
    return sources.filter((from) => from !== region).map((from) => ({from, ready: null, reason: why ?? 'it was not judged', ageMs: null}));
  return value.map(({from, ready, reason}) => ({from, ready, reason, ageMs}));
}

function headroomPart({value, why}: AgedCell<NonNullable<RegionFacts['headroom']['value']>>, {at}: Place): StatusHeadroom | null {
  if (value === null)
    return why === null ? null : {series: null, left: null, limit: null, value: null, unit: null, ageMs: null, reason: why};
  const {series, left, limit, value: now, unit, at: measured, unread} = value;
  const known = {series, left, limit, value: now, unit, ageMs: ageAt(measured, at), reason: why};
  return unread.length === 0 ? known : {...known, unread};
}
