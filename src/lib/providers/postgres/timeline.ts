import type {Position} from '../../snapshot/position.ts';

/** Where each earlier timeline of a history ended, in bytes: epoch to offset. */
export type Forks = ReadonlyMap<number, bigint>;

/** Reads a timeline history file: lines of timeline, switch position (`X/Y`) and reason. Lines that are none are skipped. */
export function parseHistory(text: string): Forks {
  const forks = new Map<number, bigint>();
  for (const line of text.split('\n')) {
    const match = /^\s*(\d+)\s+([0-9A-Fa-f]+)\/([0-9A-Fa-f]+)/.exec(line);
    if (match !== null) forks.set(Number(match[1]), (BigInt(`0x${match[2]}`) << 32n) + BigInt(`0x${match[3]}`));
  }
  return forks;
}

/** Whether a standby at `own` can go on from `upstream`: same lineage, and nothing on disk that is not part of the upstream's history. */
export function canFollow(own: Position, upstream: Position, forks: Forks): boolean {
  if (own.lineage !== upstream.lineage) return false;
  const end = own.epoch === upstream.epoch ? BigInt(upstream.offset) : forks.get(own.epoch);
  return end !== undefined && BigInt(own.offset) <= end;
}

/** The way that a member went: where its earlier timelines ended, and where it is now. */
export type Way = {readonly forks: Forks; readonly position: Position};

/**
 * The last place that both went through, in bytes, and the timeline that it is on. null = they belong to different lineages. Two servers that were
 * promoted at the same place have taken the same number for what are two timelines: nothing tells these apart.
 */
export function forkPoint(own: Way, other: Way): {readonly epoch: number; readonly offset: bigint} | null {
  if (own.position.lineage !== other.position.lineage) return null;
  const [mine, theirs] = [timelinesOf(own), timelinesOf(other)];
  let fork: {epoch: number; offset: bigint} | null = null;
  for (const [index, {epoch, end}] of mine.entries()) {
    const there = theirs[index];
    if (there?.epoch !== epoch) break;
    fork = {epoch, offset: end < there.end ? end : there.end};
    if (end !== there.end) break;
  }
  return fork;
}

/** Each timeline with the place where it was left, the present one last. */
function timelinesOf({forks, position}: Way): readonly {epoch: number; end: bigint}[] {
  const earlier = [...forks].filter(([epoch]) => epoch < position.epoch).map(([epoch, end]) => ({epoch, end}));
  return [...earlier, {epoch: position.epoch, end: BigInt(position.offset)}].toSorted((a, b) => a.epoch - b.epoch);
}

/** A place in the log as PostgreSQL writes it: `16/B374D848`. */
export function lsnText(offset: bigint): string {
  return `${(offset >> 32n).toString(16)}/${(offset & 0xffffffffn).toString(16)}`.toUpperCase();
}

/** The name of a file of the log: timeline, then number, of segments of `size` bytes. */
export function segmentName(epoch: number, segment: bigint, size: bigint): string {
  const perLog = 0x100000000n / size;
  return [BigInt(epoch), segment / perLog, segment % perLog]
    .map((part) => part.toString(16).padStart(8, '0'))
    .join('')
    .toUpperCase();
}

/** The file that says where the timelines before this one ended; the first has none. */
export const historyName = (epoch: number): string => `${epoch.toString(16).toUpperCase().padStart(8, '0')}.history`;
