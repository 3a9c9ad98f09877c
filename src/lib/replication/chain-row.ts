import {formatMs} from '../output/units.ts';
import type {LagRow} from './lag-row.ts';

/** What is known of a chain: its links but the last, from the first on, and what a reader of its last member sees. */
export type ChainSeen = Pick<LagRow, 'seconds' | 'withinRpo'> & {readonly hops: readonly LagRow[]; readonly isCircle: boolean};

/** The row of the last link of a chain, with the chain's lag. A link that is well says nothing of what its sender has not got itself. */
export function throughChain(row: LagRow, {hops, isCircle, seconds, withinRpo}: ChainSeen): LagRow {
  const late = isCircle ? null : latest(row, hops, withinRpo);
  const isBroken = row.state === 'broken' || row.state === 'unknown';
  const note = isCircle ? circleSays(row) : seconds === null && late === null && !isBroken ? unknownSays(row, hops) : late;
  const judged = {...row, seconds, withinRpo, reason: note === null ? row.reason : `${row.reason.replace(/\.$/, '')}; ${note}.`};
  if (isCircle && row.state !== 'broken') return {...judged, state: 'unknown', code: 'circle'};
  // Nothing is outstanding here because nothing arrives there: that is not idle.
  const isWell = row.state === 'streaming' || row.state === 'idle';
  return late !== null && isWell ? {...judged, state: 'streaming', code: 'upstream-behind'} : judged;
}

/** Whether less gets through a link than its sender has. What has arrived is handed on, whether it is replayed there or not. */
export function holdsUp({state, code, flushBytes}: Pick<LagRow, 'state' | 'code' | 'flushBytes'>): boolean {
  // It does stream, only nobody can tell who it is.
  if (code === 'other-name') return flushBytes !== 0;
  if (state === 'broken' || state === 'unknown' || code === 'sender-silent') return true;
  return (state === 'stalled' || state === 'catching-up') && flushBytes !== 0;
}

/** The link before this one that is to blame, the nearest to the first of the chain; null = none. */
function latest({from}: LagRow, hops: readonly LagRow[], within: boolean | null): string | null {
  const slowest = hops.toSorted((a, b) => (b.seconds ?? 0) - (a.seconds ?? 0))[0];
  const hop = hops.find(holdsUp) ?? (within === false ? slowest : undefined);
  if (hop === undefined || (!holdsUp(hop) && (hop.seconds ?? 0) === 0)) return null;
  const gets = hop.to === from ? `${hop.to}, from which it gets the log,` : `${hop.to}, which its log comes through,`;
  const far = hop.seconds === null ? '' : `${formatMs(hop.seconds * 1000)} behind`;
  const stands = holdsUp(hop) && hop.state !== 'catching-up' ? `${hop.state} (${hop.from} \u2192 ${hop.to})` : '';
  return `${gets} is ${[far, stands].filter((each) => each !== '').join(' and ') || 'behind'}`;
}

const circleSays = ({from, to}: LagRow): string =>
  `${from} gets the log from ${to} itself, in a circle: how far both are behind is not known`;

const unknownSays = ({from}: LagRow, hops: readonly LagRow[]): string =>
  `how far ${from}, from which it gets the log, is behind ${hops[0]?.from ?? 'its own sender'} is not known`;
