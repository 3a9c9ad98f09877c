import type {AuditChunk} from '../../../ports/audit.ts';
import type {CatalogTable} from './catalog.ts';
import type {Pages} from './statements.ts';

/** Pages that are read at once, at least: below that a statement costs more than what it reads. */
const LEAST_PAGES = 64;

/**
 * Reads every heap of a table page by page, as much at a time as takes about `sliceMs`, and adds up what each bucket has. The last piece of a heap
 * has no end: it may have grown. Only sound in one snapshot, where each row has one place: `read` answers null where it is another one, and so does this.
 */
export async function scan(
  {heaps, rows}: Pick<CatalogTable, 'heaps' | 'rows'>,
  firstRows: number,
  sliceMs: number,
  pace: () => Promise<void>,
  read: (pages: Pages) => Promise<readonly AuditChunk[] | null>,
): Promise<readonly AuditChunk[] | null> {
  const whole = heaps.reduce((sum, {pages}) => sum + pages, 0);
  let step = Math.max(LEAST_PAGES, Math.ceil((whole * firstRows) / Math.max(1, rows)));
  const buckets = new Map<string, {rows: number; sum: bigint}>();
  for (const {schema, relation, pages} of heaps) {
    for (let from = 0; ; ) {
      await pace();
      const to = from + step * 1.2 >= pages ? null : from + step;
      const began = performance.now();
      const chunks = await read({schema, relation, from, to});
      if (chunks === null) return null;
      for (const chunk of chunks) add(buckets, chunk);
      step = Math.max(LEAST_PAGES, Math.round(step * Math.min(4, Math.max(0.25, sliceMs / Math.max(1, performance.now() - began)))));
      if (to === null) break;
      from = to;
    }
  }
  return [...buckets].map(([id, {rows, sum}]) => ({id, rows, sum: String(sum)}));
}

function add(buckets: Map<string, {rows: number; sum: bigint}>, {id, rows, sum}: AuditChunk): void {
  const bucket = buckets.get(id);
  if (bucket === undefined) buckets.set(id, {rows, sum: BigInt(sum)});
  else {
    bucket.rows += rows;
    bucket.sum += BigInt(sum);
  }
}
