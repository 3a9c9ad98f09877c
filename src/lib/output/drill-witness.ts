import type {DrillDocument, StoreWitnessRow, WitnessRow} from '../drill/report.ts';
import {type Block, type BlockCell, count, formatCount, formatMeasured} from './drill-words.ts';
import {formatMs, formatTime, NOT_MEASURED} from './units.ts';

/** References are for who looks them up; more than these are in the JSON document. */
const MOST_REFS = 10;

/** What the numbered writes through the front door saw. */
export function witnessBlock({witness, measured}: DrillDocument): Block {
  const says = witness === null ? [] : [gapSentence(witness, measured), ...costSentence(witness), ...stallSentence(witness)];
  const rows = witness === null ? [] : [counted('front door', witness, measured)];
  return {
    id: 'witness',
    title: 'The witness: numbered writes through the front door',
    says,
    list:
      witness === null
        ? []
        : [
            ...references('lost', witness.lost, measured.lostWrites),
            ...references('duplicated', witness.duplicated, measured.duplicatedWrites),
          ],
    table: {heads: HEADS, rows},
  };
}

const HEADS = [
  {text: 'Writes'},
  ...['Acknowledged', 'Failed', 'Unknown', 'Lost', 'Duplicated', 'Longest gap'].map((text) => ({text, end: true as const})),
];

function counted(
  name: string,
  row: WitnessRow,
  {lostWrites, duplicatedWrites}: Pick<DrillDocument['measured'], 'lostWrites' | 'duplicatedWrites'>,
): BlockCell[] {
  return [
    name,
    formatCount(row.acknowledged),
    formatCount(row.failed),
    formatCount(row.unknown),
    bad(lostWrites),
    bad(duplicatedWrites),
    formatMeasured(row.longestGapMs),
  ];
}

function bad(writes: number | null): BlockCell {
  if (writes === null) return {text: NOT_MEASURED, tone: 'unknown'};
  return {text: formatCount(writes), tone: writes > 0 ? 'bad' : 'good'};
}

function gapSentence({writeGapReason, gapFrom, gapTo, gapAtLeastMs}: WitnessRow, {writeGapMs}: DrillDocument['measured']): string {
  if (writeGapMs === null) return `The write gap was not measured${writeGapReason === null ? '' : `: ${writeGapReason}`}.`;
  const when = gapFrom === null || gapTo === null ? '' : `, from ${clock(gapFrom)} to ${clock(gapTo)}`;
  const sure =
    gapAtLeastMs === null || Math.round(gapAtLeastMs) >= Math.round(writeGapMs)
      ? ''
      : `; ${formatMeasured(gapAtLeastMs)} of it surely not of our own making`;
  return `No write was accepted for ${formatMeasured(writeGapMs)}${when}${sure}.`;
}

function clock(at: string): string {
  return Number.isNaN(Date.parse(at)) ? NOT_MEASURED : `${new Date(at).toISOString().slice(11, 23)}Z`;
}

function costSentence({cost}: WitnessRow): string[] {
  if (cost === null || cost === undefined) return [];
  return [`The witness itself cost ${cost.cpuPercent} % of one core and added ${formatCount(cost.writesPerSecond)} writes per second.`];
}

function stallSentence({stalls, stalledMs, longestStallMs}: WitnessRow): string[] {
  if (stalls === null || stalls === undefined || stalls === 0) return [];
  const longest = longestStallMs === null || longestStallMs === undefined ? '' : `, ${formatMs(longestStallMs)} at the longest`;
  return [`Our own process stood still ${count(stalls, 'time')}, for ${formatMs(stalledMs ?? null)} in all${longest}.`];
}

function references(what: string, refs: readonly string[] | null, all: number | null): string[] {
  if (refs === null || refs.length === 0) return [];
  const more = Math.max(all ?? refs.length, refs.length) - Math.min(refs.length, MOST_REFS);
  return [`${what}: ${refs.slice(0, MOST_REFS).join(', ')}${more > 0 ? `, and ${formatCount(more)} more` : ''}`];
}

/** What direct writes to each store saw: members by themselves, since only the primary should acknowledge. */
export function storesBlock({stores}: DrillDocument): Block {
  const heads = [...HEADS.map((head, i) => (i === 0 ? {text: 'Store or member'} : head)), {text: 'Two writers'}];
  return {
    id: 'stores',
    title: 'The witness of each store: writes to its members, past the front door',
    says: [],
    list: stores.flatMap(({store, all, trouble}) => [
      ...(trouble === null ? [] : [`${store}: ${trouble}`]),
      ...references(`lost in ${store}`, all.lost, all.lostWrites ?? null),
    ]),
    table: {heads, rows: stores.flatMap(storeRows)},
  };
}

function storeRows({store, all, members, twoWriters: two}: StoreWitnessRow): BlockCell[][] {
  const split: BlockCell =
    two === null
      ? {text: 'never', tone: 'good'}
      : {
          text: `${two.members.join(' and ')}: ${count(two.writes, 'write')} in ${formatMs(two.ms)} from ${formatTime(two.from)}`,
          tone: 'bad',
        };
  const lostWrites = all.lostWrites ?? all.lost?.length ?? null;
  const duplicatedWrites = all.duplicatedWrites ?? all.duplicated?.length ?? null;
  return [
    [...counted(store, all, {lostWrites, duplicatedWrites}), split],
    ...members.map(({member, acknowledged, firstAckAt, lastAckAt}): BlockCell[] => [
      `${store} on ${member}`,
      formatCount(acknowledged),
      ...['', '', '', '', ''],
      firstAckAt === null || lastAckAt === null ? 'acknowledged nothing' : `acknowledged from ${clock(firstAckAt)} to ${clock(lastAckAt)}`,
    ]),
  ];
}
