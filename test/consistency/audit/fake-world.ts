import {unavailable} from '../../../src/lib/errors.ts';
import type {Audit, AuditChunk, AuditRow, AuditSlice, AuditVersion, TableAudit} from '../../../src/lib/ports/audit.ts';
import type {Clock} from '../../../src/lib/ports/clock.ts';
import type {LinkReading} from '../../../src/lib/ports/store.ts';

/** A row on one member: its value, when it was written by whom first, and which write on this member it is. null value = deleted. */
type Cell = {readonly value: string | null; readonly at: number; readonly by: number; readonly stamp: number};
type Write = {readonly key: number; readonly value: string | null; readonly at: number; readonly by: number};

export type WorldOptions = {
  readonly members: number;
  readonly keys: number;
  /** Called before every answer: what happens in the world meanwhile. */
  readonly meanwhile?: (world: FakeWorld) => void;
  /** Whether the engine tells when a row was written. Default true. */
  readonly stamps?: boolean;
  /** Whether members replicate at all. Default true. */
  readonly replicates?: boolean;
};

const SLICE = 16;
const CHUNK = 4;

/**
 * Members that replicate to each other, each its own writes to every other one, in order; the later write wins. Everything is in memory, and time only
 * passes when somebody sleeps. A table `t` with keys that are numbers, in slices of sixteen and chunks of four.
 */
export class FakeWorld {
  readonly names: readonly string[];
  readonly rows: Map<number, Cell>[];
  /** What each has written itself, and how much of it each other one has applied. */
  readonly logs: Write[][];
  readonly applied: number[][];
  readonly dead = new Set<string>();
  readonly calls: string[] = [];
  now = 0;
  /** What marks are worth nothing in any other one of. */
  epoch = 'e';
  private ticks = 0;
  private readonly options: WorldOptions;

  constructor(options: WorldOptions) {
    this.options = options;
    this.names = Array.from({length: options.members}, (_, index) => `m${index}`);
    this.rows = this.names.map(() => new Map());
    this.logs = this.names.map(() => []);
    this.applied = this.names.map(() => this.names.map(() => 0));
    for (let key = 0; key < options.keys; key++) this.seed(key, 'v');
  }

  /** A row that everybody has had for long. */
  seed(key: number, value: string): void {
    for (const rows of this.rows) rows.set(key, {value, at: 0, by: 0, stamp: ++this.ticks});
  }

  /** Damage below the transactions: no trace of when it was done. */
  rot(member: number, key: number, value: string): void {
    const cell = this.rows[member]?.get(key);
    if (cell !== undefined) this.rows[member]?.set(key, {...cell, value});
  }

  /** A change that nobody else hears of. */
  damage(member: number, key: number, value: string | null): void {
    this.rows[member]?.set(key, {value, at: this.rows[member]?.get(key)?.at ?? 0, by: 0, stamp: ++this.ticks});
  }

  write(member: number, key: number, value: string | null): void {
    const write: Write = {key, value, at: ++this.ticks, by: member};
    this.put(member, write);
    this.logs[member]?.push(write);
  }

  private put(member: number, write: Write): void {
    this.rows[member]?.set(write.key, {...write, stamp: ++this.ticks});
  }

  /** The next change of one reaches another. */
  deliver(from: number, to: number): boolean {
    const done = this.applied[from]?.[to] ?? 0;
    const write = this.logs[from]?.[done];
    const applied = this.applied[from];
    if (from === to || write === undefined || applied === undefined) return false;
    const own = this.rows[to]?.get(write.key);
    if (own === undefined || own.at < write.at || (own.at === write.at && own.by < write.by)) this.put(to, write);
    applied[to] = done + 1;
    return true;
  }

  deliverAll(): void {
    for (const from of this.names.keys()) for (const to of this.names.keys()) while (this.deliver(from, to));
  }

  private async ask<T>(member: string, call: string, answer: (index: number) => T): Promise<T> {
    await Promise.resolve();
    this.options.meanwhile?.(this);
    this.calls.push(`${call} ${member}`);
    if (this.dead.has(member)) throw unavailable('refused', `${member} refuses connections.`);
    return answer(this.names.indexOf(member));
  }

  private row(member: number, key: number): AuditRow | null {
    const cell = this.rows[member]?.get(key);
    if (cell === undefined || cell.value === null) return null;
    return {key: String(key), hash: cell.value, ...(this.options.stamps === false ? {} : {stamp: String(cell.stamp)})};
  }

  private inSlice(member: number, slice: AuditSlice): readonly AuditRow[] {
    const [from, to] = [
      slice.from === null ? Number.NEGATIVE_INFINITY : Number(slice.from),
      slice.to === null ? Number.POSITIVE_INFINITY : Number(slice.to),
    ];
    const keys = [...(this.rows[member]?.keys() ?? [])].filter((key) => key >= from && key < to);
    return keys.flatMap((key) => this.row(member, key) ?? []);
  }

  private chunks(member: number, slice: AuditSlice): readonly AuditChunk[] {
    const chunks = Map.groupBy(this.inSlice(member, slice), ({key}) => chunkOf(key));
    return [...chunks].map(([id, rows]) => ({
      id,
      rows: rows.length,
      sum: rows
        .map(({key, hash}) => `${key}=${hash}`)
        .toSorted()
        .join(),
    }));
  }

  private version(member: number, key: string): AuditVersion {
    const row = this.row(member, Number(key));
    const rest = {committedAt: null, origin: null};
    if (row === null) return {key, hash: null, row: null, ...rest};
    return {...row, row: {v: row.hash}, ...rest};
  }

  readonly table: TableAudit = {
    says: 'in memory',
    form: 'fake',
    next: (before) => {
      if (before !== null && before.to === null) return null;
      const from = before?.to ?? null;
      const to = Number(from ?? 0) + SLICE;
      return {rows: SLICE, from, to: to >= this.options.keys ? null : String(to), width: CHUNK};
    },
    digest: (member, slice) =>
      this.ask(member, 'digest', (index) => ({
        at: String(this.logs[index]?.length ?? 0),
        mark: {epoch: this.epoch, since: String(this.ticks)},
        chunks: this.chunks(index, slice),
      })),
    activity: (member, slice, mark) =>
      this.ask(member, 'activity', (index) => {
        if (mark.epoch !== this.epoch) return 'stale' as const;
        const chunks = [...Map.groupBy(this.inSlice(index, slice), ({key}) => chunkOf(key))].map(([id, rows]) => ({
          id,
          rows: rows.length,
          written: rows.some(({key}) => (this.rows[index]?.get(Number(key))?.stamp ?? 0) > Number(mark.since)),
        }));
        return {at: String(this.logs[index]?.length ?? 0), mark: {epoch: this.epoch, since: String(this.ticks)}, chunks};
      }),
    again: (member, slice, ids) => this.ask(member, 'again', (index) => this.chunks(index, slice).filter(({id}) => ids.includes(id))),
    rows: (member, slice, ids) =>
      this.ask(member, 'rows', (index) => this.inSlice(index, slice).filter(({key}) => ids.includes(chunkOf(key)))),
    hashes: (member, keys) => this.ask(member, 'hashes', (index) => keys.flatMap((key) => this.row(index, Number(key)) ?? [])),
    versions: (member, keys) => this.ask(member, 'versions', (index) => keys.map((key) => this.version(index, key))),
  };

  readonly audit: Audit = {
    tables: async (members) =>
      Object.fromEntries(
        members.map((member) => [
          member,
          this.dead.has(member)
            ? {known: false as const, code: 'refused', reason: `${member} refuses connections.`, at: 0}
            : {
                known: true as const,
                at: 0,
                value: [{name: 't', key: ['k'], lacks: null, columns: ['k int4'], rows: this.options.keys, bytes: 0}],
              },
        ]),
      ) as never,
    open: async (_table, members) => {
      for (const member of members) await this.ask(member, 'open', () => undefined);
      return this.table;
    },
    position: (member) => this.ask(member, 'position', (index) => String(this.logs[index]?.length ?? 0)),
    load: async () => ({active: 0}),
    rest: async () => undefined,
    received: () => 0,
    close: async () => undefined,
  };

  readonly links = async (): Promise<readonly LinkReading[]> => {
    if (this.options.replicates === false) return [];
    this.options.meanwhile?.(this);
    return this.names.flatMap((from, sender) =>
      this.names.flatMap((to, receiver) => {
        if (from === to) return [];
        const replayOffset = this.dead.has(from) ? null : String(this.applied[sender]?.[receiver] ?? 0);
        return [{from, to, link: `${from}_${to}`, kind: 'logical', replayOffset, trouble: null} as unknown as LinkReading];
      }),
    );
  };

  readonly clock: Clock = {
    wall: () => this.now,
    now: () => this.now,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      this.now += ms;
      this.options.meanwhile?.(this);
    },
  };
}

const chunkOf = (key: string): string => String(Math.floor(Number(key) / CHUNK));
