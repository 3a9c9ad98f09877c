import type {WitnessLog, WitnessWrite} from './witness-log.ts';

/** How many rows each reference of the run has. */
export type ReadBack = ReadonlyMap<string, number>;

/** One reading, from the first page to the last. `servers`: whom its pages name as the one that answered; empty = they name nobody. */
export type Reading = {readonly rows: ReadBack; readonly servers: ReadonlySet<string>};

/** What is known after some rounds of readings: the last round, and of all of them what was there, who answered, and who answered all pages of one. */
export type Evidence = {
  readonly last: readonly Reading[];
  readonly seen: ReadonlySet<string>;
  readonly servers: ReadonlySet<string>;
  readonly whole: ReadonlySet<string>;
};

/** `rows` = what every reading of the last round says; null = they are no ground to say that anything is lost, and `why` is the reason. */
export type Agreed = {readonly rows: ReadBack; readonly why: null} | {readonly rows: null; readonly why: string};

/** Before the first round. */
export const NO_EVIDENCE: Evidence = {last: [], seen: new Set(), servers: new Set(), whole: new Set()};

/* The writes that whoever is written to now must have. */
const NEWEST = 25;
/* A silence of this many intervals is a gap: what was acknowledged before it may be lost truly. Of slow witnesses fewer are, where they last as long as this. */
const GAP_INTERVALS = 10;
const LEAST_INTERVALS = 3;
const GAP_MS = 1000;

/** Adds a round. */
export function withRound(before: Evidence, last: readonly Reading[]): Evidence {
  const alone = last.map(({servers}) => servers).filter(({size}) => size === 1);
  return {
    last,
    seen: refsOf(last, before.seen),
    servers: new Set([...before.servers, ...last.flatMap(({servers}) => [...servers])]),
    whole: new Set([...before.whole, ...alone.flatMap((servers) => [...servers])]),
  };
}

/**
 * Judges the readings of one door. Behind it may be more than one server, or one that is not written to any more: what such a reading lacks is not
 * lost. So nothing is, unless all readings of the last round agree on every write, nothing that was seen before is gone, who answered a part of a reading has
 * also answered a whole one, and the newest acknowledged writes are there, or were acknowledged by who answered a whole reading without them. What is there is there, whoever says so. Pure.
 */
export function agree(log: WitnessLog, evidence: Evidence): Agreed {
  const {last, seen} = evidence;
  const acknowledged = log.writes.filter(({outcome}) => outcome === 'acknowledged');
  const none = (why: string): Agreed => ({rows: null, why});
  const differing = acknowledged.filter(({ref}) => last.some(({rows}) => rows.get(ref) !== last[0]?.rows.get(ref)));
  if (differing.length > 0)
    return none(
      `two readings differ in ${differing.length} of ${acknowledged.length} acknowledged writes: more than one server answers there`,
    );
  const rows = inAll(last);
  const missing = acknowledged.filter(({ref}) => !rows.has(ref));
  const gone = missing.filter(({ref}) => seen.has(ref));
  if (gone.length > 0) return none(`${gone.length} acknowledged writes were in one reading and not in a later one`);
  const isPlain = missing.length === 0 && [...rows.values()].every((count) => count === 1);
  const why = isPlain ? null : (inPieces(evidence) ?? behind(acknowledged, rows, evidence));
  return why === null ? {rows, why} : none(why);
}

/** A write that nobody acknowledged may come while it is read. It is there if any reading has it, and more than once only if all of them say so. */
function inAll(last: readonly Reading[]): ReadBack {
  const least = (ref: string): number => last.reduce((min, {rows}) => Math.min(min, rows.get(ref) ?? 0), Number.POSITIVE_INFINITY);
  return new Map([...refsOf(last)].map((ref) => [ref, Math.max(1, least(ref))]));
}

/* Built in place: an hour of writes is read three times. */
function refsOf(readings: readonly Reading[], more: ReadonlySet<string> = new Set()): ReadonlySet<string> {
  const refs = new Set(more);
  for (const {rows} of readings) for (const ref of rows.keys()) refs.add(ref);
  return refs;
}

function inPieces({servers, whole}: Evidence): string | null {
  const parts = [...servers].filter((server) => !whole.has(server)).toSorted();
  return parts.length === 0 ? null : `${parts.join(' and ')} answered only parts of the readings, others the rest`;
}

/** A server that acknowledged a write by name and does not have it in a whole reading of its own has lost it: that it is new does not matter then. */
function behind(acknowledged: readonly WitnessWrite[], rows: ReadBack, {whole}: Evidence): string | null {
  const newest = newestOf(acknowledged);
  const lacking = newest.filter(({ref, by}) => !rows.has(ref) && (by === undefined || !whole.has(by))).length;
  if (lacking === 0) return null;
  return `${lacking} of the last ${newest.length} acknowledged writes are not there either: who answers there may not be who took them`;
}

/** Those after the last gap, as many as matter. */
function newestOf(acknowledged: readonly WitnessWrite[]): readonly WitnessWrite[] {
  const newest = acknowledged.toSorted((a, b) => b.endedAt - a.endedAt).slice(0, NEWEST);
  const sent = newest.map(({sentAt}) => sentAt).sort((a, b) => b - a);
  const steps = sent.slice(1).map((at, i) => (sent[i] ?? at) - at);
  const interval = steps.sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
  const longMs = Math.min(GAP_INTERVALS * interval, Math.max(LEAST_INTERVALS * interval, GAP_MS));
  const gap = newest.findIndex(({endedAt}, i) => i > 0 && (newest[i - 1]?.endedAt ?? endedAt) - endedAt > longMs);
  return gap === -1 ? newest : newest.slice(0, gap);
}
