import {type AuditJob, type AuditLog, auditStore, type StoreAudit} from '../../../src/lib/consistency/audit/audit.ts';
import type {SliceRecord} from '../../../src/lib/consistency/audit/audit-table.ts';
import type {DivergentKey, TableResult} from '../../../src/lib/consistency/audit/model.ts';
import type {FakeWorld} from './fake-world.ts';

/** A log in memory: what one process writes, the next one reads. */
export class FakeLog implements AuditLog {
  readonly slices: SliceRecord[] = [];
  form: string | null = null;
  done: TableResult | null = null;
  /** Called after each slice that was written down. */
  onSlice: (slices: number) => void = () => undefined;

  earlier(): ReturnType<AuditLog['earlier']> {
    return this.form === null ? null : {form: this.form, slices: [...this.slices], result: this.done};
  }
  table(_name: string, form: string): void {
    this.form = form;
    this.slices.length = 0;
  }
  slice(_name: string, record: SliceRecord): void {
    this.slices.push(record);
    this.onSlice(this.slices.length);
  }
  result(result: TableResult): void {
    this.done = result;
  }
}

export const judge = (key: string): DivergentKey => ({key, class: 'conflicting', regions: [], why: '', differs: [], suspects: []});

/** Audits a world from the beginning, or from where a log ends. */
export function runAudit(world: FakeWorld, options: Partial<AuditJob> = {}): Promise<StoreAudit> {
  return auditStore({
    members: world.names.map((member) => ({member, region: `region-${member}`})),
    audit: world.audit,
    links: world.links,
    choice: {only: null, ignore: []},
    rules: {},
    judge: (_rule, key) => judge(key),
    log: new FakeLog(),
    baselines: null,
    clock: world.clock,
    sliceMs: 500,
    settleMs: 10_000,
    limit: 1000,
    pace: async () => undefined,
    onProgress: () => undefined,
    signal: new AbortController().signal,
    ...options,
  });
}

/** The only table of a fake world. */
export async function resultOf(audit: Promise<StoreAudit>): Promise<TableResult & {readonly keys: readonly string[]}> {
  const [table] = (await audit).tables;
  if (table === undefined) throw new Error('no table was read');
  return {...table, keys: table.divergent.map(({key}) => key)};
}
