/**
 * A place in a store's change stream. `lineage` is the system identifier (or replication id), `epoch` the timeline, `offset` the byte
 * position as a decimal string (it outgrows a double). Positions of two lineages cannot be compared.
 */
export type Position = {readonly lineage: string; readonly epoch: number; readonly offset: string};

/** Negative when `a` is behind `b`, 0 when equal, positive when ahead; `null` when they belong to different lineages. Epoch first, then offset. */
export function comparePositions(a: Position, b: Position): number | null {
  if (a.lineage !== b.lineage) return null;
  if (a.epoch !== b.epoch) return a.epoch - b.epoch;
  const difference = BigInt(a.offset) - BigInt(b.offset);
  return difference === 0n ? 0 : difference < 0n ? -1 : 1;
}

/** The bytes by which `ahead` is in front of `behind`: never negative, `null` across lineages. */
export function bytesBetween(behind: Position, ahead: Position): number | null {
  if (behind.lineage !== ahead.lineage) return null;
  const difference = BigInt(ahead.offset) - BigInt(behind.offset);
  return difference < 0n ? 0 : Number(difference);
}
