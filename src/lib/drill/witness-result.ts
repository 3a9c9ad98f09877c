import {messageOf} from '../errors.ts';
import type {Json} from '../plan/json.ts';
import {type Measured, measureWitness} from '../witness/measure.ts';
import type {ReadBack} from '../witness/readings.ts';
import type {WitnessLog} from '../witness/witness-log.ts';

/** How many lost or duplicated references a journal holds; the counts are always complete. */
const MOST_REFS = 100;

/** What `witness.stop` leaves in the journal. Losses that could not be read back are null, with the reason. Times in ms, instants in ISO 8601. */
export async function witnessResult(log: WitnessLog, rows: Promise<ReadBack>): Promise<Record<string, Json>> {
  const {readBack, trouble} = await rows.then(
    (value) => ({readBack: value, trouble: null}),
    (error: unknown) => ({readBack: null, trouble: messageOf(error)}),
  );
  const measured = measureWitness(log, readBack, {edges: true});
  return {...resultOf(beganInTheGap(log, measured) ? notSeenWhole(measured) : measured, trouble), cost: costOf(log)};
}

/** A witness that starts when writes are refused already has seen neither the gap's beginning nor what was acknowledged before it. */
function beganInTheGap(log: WitnessLog, {gapFrom, writeGapMs}: Measured): boolean {
  const [first] = log.writes.toSorted((a, b) => a.n - b.n);
  return writeGapMs !== null && gapFrom !== null && gapFrom === log.sessions[0]?.openedAt && first?.outcome !== 'acknowledged';
}

function notSeenWhole(measured: Measured): Measured {
  const {longestGapMs} = measured;
  const reason = `it began before the witness did; writes were accepted again ${Math.round(longestGapMs ?? 0)} ms after that`;
  return {...measured, writeGapMs: null, writeGapReason: reason, gapAtLeastMs: longestGapMs, lost: null, lossWindowMs: null};
}

/** What the witness took of a core, and the writes that it added. null = its thread did other things too, or it never ended by itself. */
function costOf({sessions, writes}: WitnessLog): Json {
  const counted = sessions.filter(({cpuMs}) => cpuMs !== undefined);
  const ms = counted.reduce((sum, {openedAt, endedAt}) => sum + endedAt - openedAt, 0);
  if (ms <= 0) return null;
  const within = (at: number) => counted.some(({openedAt, endedAt}) => at >= openedAt && at <= endedAt);
  const added = writes.filter(({outcome, sentAt}) => outcome !== 'failed' && within(sentAt)).length;
  const cpuMs = counted.reduce((sum, session) => sum + (session.cpuMs ?? 0), 0);
  return rounded({cpuPercent: (cpuMs / ms) * 100, writesPerSecond: (added / ms) * 1000});
}

function resultOf(measured: Measured, trouble: string | null): Record<string, Json> {
  const {lost, duplicated, unknownButPresent, stalls, gapFrom, gapTo, ...figures} = measured;
  return {
    ...rounded(figures),
    lostWrites: lost?.length ?? null,
    duplicatedWrites: duplicated?.length ?? null,
    unknownButPresent: unknownButPresent?.length ?? null,
    lost: lost?.slice(0, MOST_REFS) ?? null,
    duplicated: duplicated?.slice(0, MOST_REFS) ?? null,
    readBackTrouble: trouble,
    gapFrom: iso(gapFrom),
    gapTo: iso(gapTo),
    stalls: rounded(stalls),
    says: sentence(measured),
  };
}

function sentence({writeGapMs, writeGapReason, acknowledged, lost}: Measured): string {
  const gap =
    writeGapMs === null ? `the write gap was not measured: ${writeGapReason}` : `the longest write gap was ${Math.round(writeGapMs)} ms`;
  return `${gap}; ${acknowledged} writes acknowledged, ${lost === null ? 'losses were not measured' : `${lost.length} lost`}`;
}

function iso(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

function rounded(figures: Readonly<Record<string, number | string | boolean | null>>): {[key: string]: Json} {
  return Object.fromEntries(
    Object.entries(figures).map(([key, value]) => [key, typeof value === 'number' ? Math.round(value * 10) / 10 : value]),
  );
}
