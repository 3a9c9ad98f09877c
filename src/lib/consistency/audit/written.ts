import type {Activity, AuditSlice, TableAudit} from '../../ports/audit.ts';
import {readWhole, type SliceRecord, type TableJob} from './audit-table.ts';
import {compareChunks, type Suspect} from './compare-slice.ts';

/** What an earlier audit left of a table: its slices, with the rows of every chunk by region. */
export type Baseline = {readonly form: string; readonly slices: readonly SliceRecord[]};

/** Beyond this share of chunks it costs less to hash all of them. */
const MOST_DIRTY = 0.5;
/** Chunks that one statement names. */
const BATCH = 256;

/**
 * How a slice is read where a baseline has it: rows are counted and the youngest looked for in each chunk, and only chunks are hashed in which some member
 * has another number of rows than at the baseline or a row that was written since, or that differed then. What this does not see: damage that
 * leaves no trace in the transaction ids, such as broken storage.
 */
export function readWritten(baseline: Baseline): TableJob['read'] {
  const bySlice = new Map(baseline.slices.map((record) => [JSON.stringify(record.slice), record]));
  return async (job, slice) => {
    const before = bySlice.get(JSON.stringify(slice));
    return (before === undefined ? null : await readSlice(job, slice, before)) ?? readWhole(job, slice);
  };
}

/** null = the marks of the baseline are worth nothing, or most of it was written to. */
async function readSlice(job: TableJob, slice: AuditSlice, before: SliceRecord): Promise<SliceRecord | null> {
  const {table, readers, signal} = job;
  const look = table.activity;
  const regions = readers.active().map(({region}) => region);
  if (look === undefined || before.chunks === undefined || regions.some((region) => before.marks[region] === undefined)) return null;
  const marks = new Map(readers.active().map(({member, region}) => [member, before.marks[region]]));
  const read = await readers.each((member) => look(member, slice, marks.get(member) ?? {epoch: '', since: '0'}, signal));
  const looks = read.flatMap(({of, value}) => (value === 'stale' ? [] : [{region: of.region, activity: value}]));
  if (looks.length < read.length) return null;
  const {dirty, all} = dirtyOf(looks, before);
  if (dirty.length > Math.max(BATCH, all * MOST_DIRTY)) return null;
  return {...recordOf(slice, looks, all), suspects: await hash(table, job, slice, dirty), hashed: dirty.length};
}

type Look = {readonly region: string; readonly activity: Activity};

function dirtyOf(looks: readonly Look[], before: SliceRecord): {dirty: readonly string[]; all: number} {
  const dirty = new Set(before.suspects.map(({id}) => id));
  const all = new Set<string>();
  for (const {region, activity} of looks) {
    const known = new Map(before.chunks?.[region] ?? []);
    for (const {id, rows, written} of activity.chunks) {
      all.add(id);
      if (written || known.get(id) !== rows) dirty.add(id);
      known.delete(id);
    }
    // All of its rows are gone.
    for (const id of known.keys()) dirty.add(id);
  }
  return {dirty: [...dirty], all: all.size};
}

async function hash(
  table: TableAudit,
  {readers, signal}: TableJob,
  slice: AuditSlice,
  dirty: readonly string[],
): Promise<readonly Suspect[]> {
  const suspects: Suspect[] = [];
  for (let from = 0; from < dirty.length; from += BATCH) {
    const ids = dirty.slice(from, from + BATCH);
    const read = await readers.each((member) => table.again(member, slice, ids, signal));
    suspects.push(...compareChunks(read.map(({value}) => value)).suspects);
  }
  return suspects;
}

function recordOf(slice: AuditSlice, looks: readonly Look[], of: number): Omit<SliceRecord, 'suspects' | 'hashed'> {
  const by = <T>(value: (activity: Activity) => T): Record<string, T> =>
    Object.fromEntries(looks.map(({region, activity}) => [region, value(activity)]));
  const rows = Math.max(0, ...looks.map(({activity}) => activity.chunks.reduce((sum, chunk) => sum + chunk.rows, 0)));
  return {
    ...{slice, rows, of},
    at: by(({at}) => at),
    marks: by(({mark}) => mark),
    chunks: by(({chunks}) => chunks.map((chunk) => [chunk.id, chunk.rows] as const)),
  };
}
