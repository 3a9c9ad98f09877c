import {type Counts, countIn, greatest, raised} from './counts.ts';
import type {Crdt} from './crdt.ts';
import {countOf, type Exact, entriesOf, parsed, printObject, unreadable} from './exact-json.ts';
import {gCounterValue} from './g-counter.ts';

/**
 * A counter that goes up and down: `{"us-east": [5, 1]}`, for each region its ups and downs; two G-counters.
 *
 * Source: Shapiro et al., INRIA RR-7506, 2011, specification 7 (state-based PN-Counter).
 */
export type PnCounter = {readonly ups: Counts; readonly downs: Counts};

/** The type of PN-counters: merged by the greater of each number. */
export const pnCounter: Crdt<PnCounter> = {
  empty: {ups: new Map(), downs: new Map()},
  merge: (a, b) => ({ups: greatest(a.ups, b.ups), downs: greatest(a.downs, b.downs)}),
  clash: () => null,
  parse: (text) => parsed(text, readPnCounter),
  print: ({ups, downs}) => {
    const regions = [...new Set([...ups.keys(), ...downs.keys()])].map(
      (region) => [region, countIn(ups, region), countIn(downs, region)] as const,
    );
    return printObject(regions.filter(([, up, down]) => up + down > 0).map(([region, up, down]) => [region, `[${up}, ${down}]`]));
  },
};

function readPnCounter(json: Exact): PnCounter {
  const rows = entriesOf(json, 'the counter').map(([region, pair]) => {
    if (!Array.isArray(pair) || pair.length !== 2) return unreadable(`"${region}" has no two counts, [ups, downs]`);
    return {region, up: countOf(pair[0], `the ups of "${region}"`), down: countOf(pair[1], `the downs of "${region}"`)};
  });
  return {ups: new Map(rows.map(({region, up}) => [region, up])), downs: new Map(rows.map(({region, down}) => [region, down]))};
}

/** Raised or, with a `by` below 0, lowered in a region. Throws when a count would pass 2^53-1. */
export function countBy({ups, downs}: PnCounter, region: string, by: number): PnCounter {
  return by < 0 ? {ups, downs: raised(downs, region, -by)} : {ups: raised(ups, region, by), downs};
}

/** The value: all ups less all downs. */
export const pnCounterValue = ({ups, downs}: PnCounter): bigint => gCounterValue(ups) - gCounterValue(downs);
