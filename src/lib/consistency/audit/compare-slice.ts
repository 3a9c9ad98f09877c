import type {AuditChunk, SliceDigest} from '../../ports/audit.ts';

/** A chunk that is not the same on every member. `rows` of the member that has most in it. */
export type Suspect = {readonly id: string; readonly rows: number};

/** What comparing a slice told. `rows` of the member that has most of them. */
export type Compared = {readonly rows: number; readonly chunks: number; readonly suspects: readonly Suspect[]};

/** Compares what all members have in the same chunks. A chunk that a member does not name is one without rows. */
export function compareChunks(members: readonly (readonly AuditChunk[])[]): Compared {
  const [first = [], ...others] = members;
  const seen = new Map<string, {rows: number; readonly sum: string; most: number; same: boolean; on: number}>();
  for (const {id, rows, sum} of first) seen.set(id, {rows, sum, most: rows, same: true, on: 1});
  for (const chunks of others) {
    for (const {id, rows, sum} of chunks) {
      const entry = seen.get(id);
      if (entry === undefined) seen.set(id, {rows, sum, most: rows, same: false, on: 1});
      else {
        entry.on++;
        entry.most = Math.max(entry.most, rows);
        entry.same &&= entry.rows === rows && entry.sum === sum;
      }
    }
  }
  const suspects = [...seen].filter(([, {same, on}]) => !same || on < members.length).map(([id, {most}]) => ({id, rows: most}));
  const rows = Math.max(0, ...members.map((chunks) => chunks.reduce((sum, chunk) => sum + chunk.rows, 0)));
  return {rows, chunks: seen.size, suspects};
}

/** The chunks of a digest by their rows, for the next look at what was written. */
export const countsOf = ({chunks}: SliceDigest): ReadonlyMap<string, number> => new Map(chunks.map(({id, rows}) => [id, rows]));
