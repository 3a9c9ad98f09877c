import {type Json, textOrNull} from '../plan/json.ts';
import type {StoreWitnessRow, WitnessRow} from './report.ts';

type Fields = Readonly<Record<string, Json>>;

/** The row of one stream, out of what `witness.stop` left in the journal. What an older journal lacks is null. */
export function witnessRowOf(result: Fields): WitnessRow {
  const stalls = fieldsOf(result.stalls);
  return {
    acknowledged: figure(result.acknowledged),
    failed: figure(result.failed),
    unknown: figure(result.unknown),
    lost: texts(result.lost),
    duplicated: texts(result.duplicated),
    longestGapMs: figure(result.longestGapMs),
    gapAtLeastMs: figure(result.gapAtLeastMs),
    gapFrom: textOrNull(result.gapFrom),
    gapTo: textOrNull(result.gapTo),
    lossWindowMs: figure(result.lossWindowMs),
    writeGapReason: textOrNull(result.writeGapReason),
    lostWrites: figure(result.lostWrites),
    duplicatedWrites: figure(result.duplicatedWrites),
    unknownButPresent: figure(result.unknownButPresent),
    stalledMs: figure(stalls?.totalMs),
    longestStallMs: figure(stalls?.longestMs),
    stalls: figure(stalls?.count),
    cost: costOf(fieldsOf(result.cost)),
  };
}

/** The rows of the stores; none in older journals, and where the fleet file names none. */
export function storeRowsOf(result: Fields | undefined): readonly StoreWitnessRow[] {
  return listOf(result?.stores).map((row) => ({
    store: textOrNull(row.store) ?? '',
    all: witnessRowOf(fieldsOf(row.all) ?? {}),
    members: listOf(row.members).map(({member, acknowledged, firstAckAt, lastAckAt}) => ({
      member: textOrNull(member) ?? '',
      acknowledged: figure(acknowledged) ?? 0,
      firstAckAt: textOrNull(firstAckAt),
      lastAckAt: textOrNull(lastAckAt),
    })),
    twoWriters: twoWritersOf(fieldsOf(row.twoWriters)),
    trouble: textOrNull(row.trouble),
  }));
}

function costOf(cost: Fields | null): NonNullable<WitnessRow['cost']> | null {
  const [cpuPercent, writesPerSecond] = [figure(cost?.cpuPercent), figure(cost?.writesPerSecond)];
  return cpuPercent === null || writesPerSecond === null ? null : {cpuPercent, writesPerSecond};
}

function twoWritersOf(seen: Fields | null): StoreWitnessRow['twoWriters'] {
  const from = textOrNull(seen?.from);
  return seen === null || from === null
    ? null
    : {members: texts(seen.members) ?? [], from, ms: figure(seen.ms) ?? 0, writes: figure(seen.writes) ?? 0};
}

function fieldsOf(value: Json | undefined): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

function listOf(value: Json | undefined): readonly Fields[] {
  return Array.isArray(value) ? value.map((one: Json) => fieldsOf(one)).filter((one) => one !== null) : [];
}

function figure(value: Json | undefined): number | null {
  return typeof value === 'number' ? value : null;
}

function texts(value: Json | undefined): readonly string[] | null {
  return Array.isArray(value) ? value.map(String) : null;
}
