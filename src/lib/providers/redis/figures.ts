import {SILENT_SECONDS} from './cause.ts';
import {type Facts, isPartOf} from './facts.ts';
import type {Listed, Replication} from './replication.ts';

/** Places in one log, in bytes; null = not known, or not of that log. `isSteady`: two of them show whether the replica moves. */
export type Figures = {
  readonly end: number | null;
  readonly received: number | null;
  readonly applied: number | null;
  readonly isSteady: boolean;
};

/** `receiver` null = it could not be asked; `isHanging` = it took longer than it is waited for. */
export type Both = {
  readonly sender: Facts | null;
  readonly receiver: Facts | null;
  readonly isHanging: boolean;
  readonly listed: Listed | null;
};

/**
 * How far the receiver is in its sender's log: by its own word, or by what it acknowledged last where that is newer or it cannot be asked. The two ends
 * are not read at the same instant, so the receiver may be seen ahead of its sender: that is nothing outstanding, never less than that.
 */
export function figuresOf({sender, receiver, isHanging, listed}: Both): Figures {
  const isComparable = sender !== null && receiver !== null && receiver.role === 'standby' && isPartOf(receiver, sender);
  // 0 stands there until the first acknowledgement.
  const acknowledged = listed?.state === 'online' && listed.offset !== 0 ? listed.offset : null;
  const applied = furthest(isComparable ? receiver.offset : null, acknowledged);
  const received = furthest(isComparable ? receiver.received : null, applied);
  // Acknowledgements come every second: two looks tell when they are further apart than that, as they are when a member is waited for in vain.
  const hasStopped = isHanging || (listed?.silentSeconds ?? 0) >= SILENT_SECONDS;
  return {end: sender?.end ?? null, received, applied, isSteady: isComparable || hasStopped};
}

function furthest(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.max(a, b);
}

/** What may still be written before the receiver, once its link is cut, has to take a full copy. null = not known. */
export function runwayOf(sender: Pick<Replication, 'backlog' | 'end'> | null, applied: number | null): number | null {
  if (sender === null || applied === null || sender.end === null) return null;
  const {isActive, size, first} = sender.backlog;
  if (!isActive || (first !== null && first > applied + 1)) return 0;
  return size === null ? null : Math.max(0, size - Math.max(0, sender.end - applied));
}
