import {compareChunks} from '../../../../src/lib/consistency/audit/compare-slice.ts';
import {findKeys, type SuspectSlice} from '../../../../src/lib/consistency/audit/find-keys.ts';
import {createReaders} from '../../../../src/lib/consistency/audit/readers.ts';
import type {Audit, AuditSlice, TableAudit} from '../../../../src/lib/ports/audit.ts';
import type {LinkReading} from '../../../../src/lib/ports/store.ts';
import {createAudit} from '../../../../src/lib/providers/postgres/audit/audit.ts';
import {type Cluster, closeCluster, createCluster} from '../../../../src/lib/providers/postgres/cluster.ts';
import {PASSWORD, type Server} from '../../../servers/embedded.ts';
import {passwordRef, testContext} from '../open-store.ts';

/** A member of an audit: any database of any server. */
export type Place = {readonly name: string; readonly port: number; readonly database: string; readonly user?: string};

export type AuditWorld = {
  readonly audit: Audit;
  readonly names: readonly string[];
  /** Runs statements on all members. */
  both(sql: string): Promise<void>;
  /** Runs statements on the first, and on the second. */
  each(one: string, other: string): Promise<void>;
  on(name: string, sql: string): Promise<Record<string, string>[]>;
  end(): Promise<void>;
};

/** An audit over databases as members, read as `user` (default a superuser). */
export function openWorld(places: readonly Place[], links: readonly LinkReading[] = []): AuditWorld {
  const clusters = places.map(({name, port, database, user = 'regionctl'}) =>
    createCluster(
      {
        name: 'orders',
        quorum: 0,
        config: {database, user, password: passwordRef, replicationUser: 'replicator', tls: false},
        members: [{name, region: `region-${name}`, host: null, config: {address: {host: '127.0.0.1', port}, upstreams: {}}}],
      },
      testContext,
    ),
  );
  const [first] = clusters;
  if (first === undefined) throw new Error('no places');
  const cluster: Cluster = {...first, nodes: new Map(clusters.flatMap(({nodes}) => [...nodes]))};
  const audit = createAudit(cluster, {links: async () => links}, undefined, testContext.secrets);
  const run = async ({port, database}: Place, sql: string): Promise<Record<string, string>[]> => {
    const {default: pg} = await import('pg');
    const client = new pg.Client({host: '127.0.0.1', port, database, user: 'postgres', password: PASSWORD});
    await client.connect();
    try {
      const answer: unknown = await client.query(sql);
      return Array.isArray(answer) ? answer.at(-1).rows : (answer as {rows: Record<string, string>[]}).rows;
    } finally {
      await client.end();
    }
  };
  const placeOf = (name: string): Place => {
    const found = places.find((place) => place.name === name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  };
  return {
    audit,
    names: places.map(({name}) => name),
    both: async (sql) => {
      await Promise.all(places.map((place) => run(place, sql)));
    },
    each: async (one, other) => {
      const [a, b] = places as [Place, Place];
      await Promise.all([run(a, one), run(b, other)]);
    },
    on: (name, sql) => run(placeOf(name), sql),
    end: async () => {
      await audit.close();
      await closeCluster(cluster);
    },
  };
}

/** Two databases of one server, or of two, as the members `a` and `b`. */
export async function openPair(
  a: Server,
  b: Server,
  database: string,
  {user, options = ''}: {readonly user?: string; readonly options?: string} = {},
): Promise<AuditWorld> {
  const names = a === b ? [`${database}_a`, `${database}_b`] : [database, database];
  await a.sql(`create database ${names[0]} ${options}`);
  await b.sql(`create database ${names[1]} ${options}`);
  const as = user === undefined ? {} : {user};
  return openWorld([
    {name: 'a', port: a.port, database: names[0] as string, ...as},
    {name: 'b', port: b.port, database: names[1] as string, ...as},
  ]);
}

export type Seen = {
  /** Keys that differ, in the order of texts. */
  readonly keys: readonly string[];
  readonly rows: number;
  readonly slices: readonly AuditSlice[];
  readonly chunks: number;
  readonly form: TableAudit;
};

/** For a busy machine. */
const signal = (): AbortSignal => AbortSignal.timeout(60_000);
const noPause = async (): Promise<void> => undefined;

/** Every slice of a table on all members, and the keys that differ. Throws when a member fails. */
export async function readTable({audit, names}: AuditWorld, table: string, sliceMs = 500, pace = noPause): Promise<Seen> {
  // What was written since the last look is to be seen.
  await audit.rest(signal());
  const cells = await audit.tables(names, signal());
  for (const name of names) if (cells[name]?.known !== true) throw new Error(`${name}: ${cells[name]?.reason}`);
  const form = await audit.open(table, names, {sliceMs}, signal());
  return readOpened(form, names, sliceMs, pace);
}

/** The same of a table that was opened already. `tookMs` = what each slice is said to have taken. */
export async function readOpened(form: TableAudit, names: readonly string[], tookMs: number | null, pace = noPause): Promise<Seen> {
  const suspects: SuspectSlice[] = [];
  const slices: AuditSlice[] = [];
  let [rows, chunks] = [0, 0];
  for (let slice = form.next(null, null); slice !== null; slice = form.next(slice, tookMs)) {
    const at = slice;
    const digests = await Promise.all(names.map((name) => form.digest(name, at, pace, signal())));
    const compared = compareChunks(digests.map((digest) => digest.chunks));
    slices.push(slice);
    rows += compared.rows;
    chunks += compared.chunks;
    suspects.push({slice, suspects: compared.suspects});
  }
  const readers = createReaders(
    names.map((member) => ({member, region: member})),
    signal(),
  );
  const {candidates, left} = await findKeys(form, readers, suspects, signal());
  if (left.length > 0) throw new Error('more differs than a test should let it');
  const [lost] = readers.lost();
  if (lost !== undefined) throw new Error(`${lost.member}: ${lost.reason}`);
  return {keys: candidates.map(({key}) => key).toSorted(), rows, slices, chunks, form};
}
