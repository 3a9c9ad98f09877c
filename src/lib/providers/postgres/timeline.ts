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
