import {byBytes} from './bytes.ts';
import type {Crdt} from './crdt.ts';
import {dotOf, type Exact, entriesOf, parsed, printObject, unreadable} from './exact-json.ts';

/**
 * An observed-remove set: `{"adds": {"us-east:17": "alice"}, "removes": {"us-east:17": true}}`. Each add has a tag of its own, `region:count`; a
 * remove takes away the tags that it has seen, so that an add it has not seen survives. A remove may name a tag whose add has not come yet.
 *
 * Source: Shapiro et al., INRIA RR-7506, 2011, specification 15 (OR-Set), in its state-based form with tombstones; also A. Bieniusa et al., An
 * optimized conflict-free replicated set, INRIA RR-8083, 2012, which this is not: tombstones are kept, so that absence never means removal.
 */
export type OrSet = {readonly adds: ReadonlyMap<string, string>; readonly removes: ReadonlySet<string>};

/** The type of OR-sets: merged by the union of adds and of removes. */
export const orSet: Crdt<OrSet> = {
  empty: {adds: new Map(), removes: new Set()},
  merge: (a, b) => ({adds: unionOf(a.adds, b.adds), removes: new Set([...a.removes, ...b.removes])}),
  clash: (a, b) => {
    const tag = [...a.adds.keys()].toSorted(byBytes).find((each) => b.adds.has(each) && a.adds.get(each) !== b.adds.get(each));
    return tag === undefined ? null : `the tag ${tag} stands for two elements`;
  },
  parse: (text) => parsed(text, readOrSet),
  print: ({adds, removes}) =>
    printObject([
      ['adds', printObject([...adds].map(([tag, element]) => [tag, JSON.stringify(element)]))],
      ['removes', printObject([...removes].map((tag) => [tag, 'true']))],
    ]),
};

/* A tag of two elements is a clash, of which the greater is kept: the result must not depend on who is first. */
function unionOf(a: OrSet['adds'], b: OrSet['adds']): OrSet['adds'] {
  return new Map([...a, ...[...b].filter(([tag, element]) => byBytes(a.get(tag) ?? '', element) <= 0)]);
}

function readOrSet(json: Exact): OrSet {
  const parts = new Map(entriesOf(json, 'the set'));
  const other = [...parts.keys()].find((key) => key !== 'adds' && key !== 'removes');
  if (other !== undefined) unreadable(`"${other}" is neither adds nor removes`);
  const adds = entriesOf(parts.get('adds') ?? new Map(), 'adds').map(([tag, element]) => {
    dotOf(tag, 'the tag');
    return [tag, typeof element === 'string' ? element : unreadable(`the element of "${tag}" is not text`)] as const;
  });
  const removes = entriesOf(parts.get('removes') ?? new Map(), 'removes').map(([tag, value]) => {
    dotOf(tag, 'the tag');
    return value === true ? tag : unreadable(`the remove of "${tag}" is not true`);
  });
  return {adds: new Map(adds), removes: new Set(removes)};
}

/** The element added under a tag that was never used before. */
export const addElement = ({adds, removes}: OrSet, tag: string, element: string): OrSet => ({
  adds: new Map([...adds, [tag, element]]),
  removes,
});

/** The element removed: all its tags that are known here. */
export function removeElement({adds, removes}: OrSet, element: string): OrSet {
  return {adds, removes: new Set([...removes, ...[...adds].filter(([, each]) => each === element).map(([tag]) => tag)])};
}

/** What is in the set, ordered by bytes. */
export function elementsOf({adds, removes}: OrSet): readonly string[] {
  return [...new Set([...adds].filter(([tag]) => !removes.has(tag)).map(([, element]) => element))].toSorted(byBytes);
}
