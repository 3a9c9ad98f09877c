import type {Json} from '../../src/lib/plan/json.ts';
import type {Clock} from '../../src/lib/ports/clock.ts';
import type {RecordState} from '../../src/lib/replication/link-record.ts';
import {mapMemory} from '../health/memory.ts';

/** A state in memory whose notes can be read again, as they are from a file: as JSON. */
export function recordState(clock: Pick<Clock, 'wall'>): RecordState {
  const lines: {topic: string; at: number; data: Json}[] = [];
  return {
    ...mapMemory(),
    note: (topic, data, at = clock.wall()) => void lines.push({topic, at, data: JSON.parse(JSON.stringify(data)) as Json}),
    notes: (topic, most = 1000, since = Number.NEGATIVE_INFINITY) =>
      lines.filter((line) => line.topic === topic && line.at >= since).slice(-most),
  };
}
