import {formatBytes, formatMs} from '../output/units.ts';
import type {LinkReading} from '../ports/store.ts';

/** An earlier look at the same link, and how long before. */
export type EarlierLook = {readonly sample: LinkReading; readonly msBefore: number};

/** Two looks that are closer than this cannot tell a stall from a pause. */
const STALL_MS = 200;
/** A subscriber says only after so long that it has what it applied: as long as its log writer takes to flush a commit that did not wait for it. */
const LOGICAL_STALL_MS = 900;
/** What was replayed so lately was not stuck then. Also longer than anything is under way between two regions. */
const LATELY_SECONDS = 1;
/** Rates that differ by less than this share are the same. */
const SAME_SHARE = 0.02;

/** How far apart two looks at a link have to be, in ms. */
export const lookApart = ({kind}: LinkReading): number => (kind === 'logical' ? LOGICAL_STALL_MS + 100 : STALL_MS + 50);

/** Whether a link is moving cannot be told by one look at it when something is outstanding, unless it was replayed just now. */
export const isWorthASecondLook = ({replayBytes, lastReplayAgeSeconds}: LinkReading, muchBytes: number): boolean =>
  (replayBytes ?? 0) > muchBytes || ((replayBytes ?? 0) > 0 && (lastReplayAgeSeconds ?? LATELY_SECONDS) >= LATELY_SECONDS);

/**
 * Which stage did not move between two looks although it had something to do at both, as a sentence; null = none, or it cannot be told. Arrival
 * comes first: what does not arrive is not replayed either.
 */
export function stallOf(sample: LinkReading, earlier: EarlierLook | null): string | null {
  const apart = sample.kind === 'logical' ? LOGICAL_STALL_MS : STALL_MS;
  if (earlier === null || earlier.msBefore < apart) return null;
  if ((sample.lastReplayAgeSeconds ?? LATELY_SECONDS) < LATELY_SECONDS) return null;
  const {from, to} = sample;
  const forSo = formatMs(earlier.msBefore);
  const missing = toArrive(sample);
  if (missing > 0 && toArrive(earlier.sample) > 0 && !hasMoved(held(sample), held(earlier.sample), true)) {
    const wrote = grown(end(sample), end(earlier.sample));
    const meanwhile = wrote !== null && wrote > 0 ? `, while ${from} wrote ${formatBytes(wrote)}` : '';
    return `${formatBytes(missing)} have not arrived on ${to}: nothing arrived for ${forSo}${meanwhile}`;
  }
  const waiting = sample.replayBytes ?? 0;
  if (waiting <= 0 || (earlier.sample.replayBytes ?? 0) <= 0 || replayMoved(sample, earlier.sample)) return null;
  const where = missing > 0 ? `${formatBytes(waiting)} are outstanding on ${to}` : `${formatBytes(waiting)} are on ${to}, not replayed`;
  return `${where}: nothing was replayed for ${forSo}`;
}

/** How a link that is behind gets on, by two looks: catching up or falling back, at which rates, and for how long yet. Empty = it cannot be told. */
export function progressOf(sample: LinkReading, earlier: EarlierLook | null): string {
  if (earlier === null || earlier.msBefore < STALL_MS) return '';
  const {sample: before, msBefore} = earlier;
  const perSecond = (now: bigint | null, then: bigint | null): number | null => {
    const more = grown(now, then);
    return more === null ? null : (more * 1000) / msBefore;
  };
  const written = perSecond(end(sample), end(before));
  const isArrival = toArrive(sample) > (sample.replayBytes ?? 0) / 2;
  const done = isArrival ? perSecond(held(sample), held(before)) : perSecond(replayed(sample), replayed(before));
  if (written === null || done === null) return '';
  const rate = (bytes: number): string => `${formatBytes(bytes)}/s`;
  const rates = `${rate(done)} ${isArrival ? 'arrive' : 'are replayed'}, ${rate(written)} are written`;
  const closing = done - written;
  if (Math.abs(closing) <= SAME_SHARE * Math.max(done, written)) return `, and neither catching up nor falling back: ${rates}`;
  if (closing < 0) return ` and falling back: ${rates}`;
  return ` and catching up: ${rates}, about ${formatMs(Math.ceil((sample.replayBytes ?? 0) / closing) * 1000)} to go`;
}

/** Bytes that the receiver does not hold. A subscriber tells by itself what it has received; its sender only knows what was applied. */
function toArrive(sample: LinkReading): number {
  if (sample.kind !== 'logical') return sample.flushBytes ?? 0;
  return grown(end(sample), held(sample)) ?? 0;
}

const place = (offset: string | null | undefined): bigint | null =>
  offset === null || offset === undefined || !/^\d+$/.test(offset) ? null : BigInt(offset);
const end = ({endOffset}: LinkReading): bigint | null => place(endOffset);
const replayed = ({replayOffset, endOffset, replayBytes}: LinkReading): bigint | null =>
  place(replayOffset) ?? less(place(endOffset), replayBytes);
const held = ({heldOffset, endOffset, flushBytes}: LinkReading): bigint | null => place(heldOffset) ?? less(place(endOffset), flushBytes);

const less = (from: bigint | null, bytes: number | null): bigint | null => (from === null || bytes === null ? null : from - BigInt(bytes));

/** How much further `now` is than `then`, never negative; null = one of them is not known. */
const grown = (now: bigint | null, then: bigint | null): number | null =>
  now === null || then === null ? null : Math.max(0, Number(now - then));

/** `unknown` is what to take it for when one of the places is not known. */
const hasMoved = (now: bigint | null, then: bigint | null, unknown: boolean): boolean =>
  now === null || then === null ? unknown : now !== then;

/** Without places, less outstanding or a younger transaction tells. */
function replayMoved(sample: LinkReading, before: LinkReading): boolean {
  const [now, then] = [replayed(sample), replayed(before)];
  if (now !== null && then !== null) return now !== then;
  return (sample.replayBytes ?? 0) < (before.replayBytes ?? 0) || (sample.lastReplayAgeSeconds ?? 0) < (before.lastReplayAgeSeconds ?? 0);
}
