import {byBytes} from './bytes.ts';
import {readCounts} from './counts.ts';
import type {Crdt} from './crdt.ts';
import {dotOf, type Exact, entriesOf, parsed, printExact, printObject, unreadable} from './exact-json.ts';
import {compareClocks, incrementClock, mergeClocks, NO_CLOCK, printClock, type VectorClock} from './vector-clock.ts';

/** One version of a register. `value` is a JSON text as jsonb writes it; null = deleted. */
export type MvVersion = {readonly clock: VectorClock; readonly value: string | null};

/**
 * A register that keeps every value that no later write has seen: siblings. An object from the dot of the write that made a version (`region:count`
 * of that region in its clock) to the version: `{"us-east:5": {"clock": {"us-east": 5, "ap": 2}, "value": {"name": "A"}}}`. A `value` of null
 * is a deletion, which is a version like any other.
 *
 * Sources: Shapiro et al., INRIA RR-7506, 2011, specification 10 (MV-Register); G. DeCandia et al., Dynamo, SOSP 2007, section 4.4, and Riak
 * (siblings left to the client); N. Preguiça, C. Baquero, P. Almeida, V. Fonte, R. Gonçalves, Dotted Version Vectors, arXiv:1011.5808, 2010 (a dot
 * names the write, so that versions of the same region are told apart).
 */
export type MvRegister = ReadonlyMap<string, MvVersion>;

/** The type of MV-registers: merged by keeping what no other version dominates. */
export const mvRegister: Crdt<MvRegister> = {
  empty: new Map(),
  merge: (a, b) => maximal(unionOf(a, b)),
  clash: (a, b) => {
    const dot = [...a.keys()].toSorted(byBytes).find((each) => b.has(each) && printed(a.get(each)) !== printed(b.get(each)));
    return dot === undefined ? null : `the write ${dot} has two contents`;
  },
  parse: (text) => parsed(text, readMvRegister),
  print: (register) => printObject([...register].map(([dot, version]) => [dot, printed(version)])),
};

const printed = (version: MvVersion | undefined): string =>
  printObject([
    ['clock', printClock(version?.clock ?? NO_CLOCK)],
    ['value', version?.value ?? 'null'],
  ]);

/* A dot of two contents is a clash, of which the greater is kept: the result must not depend on who is first. */
function unionOf(a: MvRegister, b: MvRegister): MvRegister {
  return new Map([...a, ...[...b].filter(([dot, version]) => !a.has(dot) || byBytes(printed(a.get(dot)), printed(version)) < 0)]);
}

function maximal(register: MvRegister): MvRegister {
  const all = [...register.values()];
  return new Map([...register].filter(([, {clock}]) => all.every((other) => compareClocks(clock, other.clock) !== 'before')));
}

function readMvRegister(json: Exact): MvRegister {
  return maximal(new Map(entriesOf(json, 'the register').map(([dot, version]) => [dot, readVersion(dot, version)])));
}

function readVersion(dot: string, json: Exact): MvVersion {
  const {region, count} = dotOf(dot, 'the version');
  const parts = new Map(entriesOf(json, `the version "${dot}"`));
  const value = parts.get('value');
  if (value === undefined || parts.size !== 2) unreadable(`the version "${dot}" has other keys than clock and value`);
  const clock = readCounts(parts.get('clock') ?? null, `the clock of "${dot}"`);
  if (count === 0 || clock.get(region) !== count) unreadable(`the clock of "${dot}" does not say ${count} for ${region}`);
  return {clock, value: value === null || value === undefined ? null : printExact(value)};
}

/** A write in a region that has seen all that is there. `value`: a JSON text as jsonb writes it; null = deletes. */
export function writeMv(register: MvRegister, region: string, value: string | null): MvRegister {
  const clock = incrementClock([...register.values()].map((version) => version.clock).reduce(mergeClocks, NO_CLOCK), region);
  return new Map([[`${region}:${clock.get(region)}`, {clock, value}]]);
}

/** The values that are there, without deletions, ordered by bytes; more than one = siblings. */
export const mvValues = (register: MvRegister): readonly string[] =>
  [...register.values()].flatMap(({value}) => (value === null ? [] : [value])).toSorted(byBytes);
