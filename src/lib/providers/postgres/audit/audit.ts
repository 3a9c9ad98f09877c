import {refused} from '../../../errors.ts';
import type {SecretVault} from '../../../fleet/secrets.ts';
import type {Audit, AuditTable, TableAudit} from '../../../ports/audit.ts';
import type {Abilities} from '../../../ports/store.ts';
import type {Cell} from '../../../snapshot/cell.ts';
import {type Cluster, nodeOf} from '../cluster.ts';
import {asCell} from '../facts.ts';
import {boundsOf, CATALOG, type CatalogRow, type CatalogTable, toTable} from './catalog.ts';
import {type Form, nameSql} from './column-hash.ts';
import {keyMap, larger, smaller} from './key-map.ts';
import {type Copy, createMember, type Member, PLACE} from './member.ts';
import {createReader} from './reader.ts';
import {shapeOf} from './shape.ts';
import {fromSql, type Shape} from './statements.ts';
import {type Opened, tableAudit} from './table-audit.ts';

/** Who reads tables, where that is not the store's own user. */
export type AuditLogin = {readonly user: string; readonly password: Parameters<SecretVault['reveal']>[0]};

/* What every hash that rows are made of answers, and what texts are made of: members on which they differ cannot be compared by them. */
const SERVER = `select current_setting('server_version_num')::int / 10000, current_setting('server_encoding'),
  concat_ws(',', hashtextextended('regionctl' collate "C", 7), hashint4extended(-5, 7), hashint8extended(-5000000000, 7), hashfloat8extended(-0.1, 7),
    uuid_hash_extended('00112233-4455-6677-8899-aabbccddeeff', 7)),
  concat_ws(',', hashtextextended('regionctl' collate "C", 7), hashint4extended(-5, 7), hashint8extended(-5000000000, 7)), current_setting('track_commit_timestamp')`;

type Server = {readonly major: number; readonly encoding: string; readonly hashes: string; readonly text: string; readonly stamps: boolean};
type Known = {readonly server: Server; readonly tables: ReadonlyMap<string, CatalogTable>};

/** Bytes that a server is thought to hash in a second as long as nothing was measured. */
const BYTES_PER_S = 150e6;

/** Digests by the servers themselves. `links` tells where replicated rows come from. */
export function createAudit(cluster: Cluster, links: Abilities['links'], login: AuditLogin | undefined, secrets: SecretVault): Audit {
  const members = new Map<string, Member>();
  const known = new Map<string, Known>();
  const memberOf = (name: string): Member => {
    const found = members.get(name);
    if (found !== undefined) return found;
    const node = nodeOf(cluster, name);
    const place = login === undefined ? node.place : {...node.place, user: login.user, password: () => secrets.reveal(login.password)};
    const reader = createReader(node, place, cluster.clock);
    const made = createMember(node, reader, (signal) => originsOf(cluster, links, made, signal));
    members.set(name, made);
    return made;
  };
  const tables = async (name: string, signal: AbortSignal): Promise<readonly AuditTable[]> => {
    const {reader} = memberOf(name);
    // A snapshot knows the catalog as it was.
    await reader.leave(signal);
    const [server = [], rows = []] = await reader.ask(`${SERVER}; ${CATALOG}`, signal);
    const all = rows.map(toCatalogRow).map((row) => toTable(row, nameOf(row)));
    known.set(name, {server: toServer(server[0] ?? []), tables: new Map(all.map((table) => [table.name, table]))});
    return all;
  };
  return {
    tables: async (names, signal) => {
      const cells = await Promise.all(names.map(async (name) => [name, await asCell(cluster, () => tables(name, signal))] as const));
      signal.throwIfAborted();
      return Object.fromEntries(cells) as Readonly<Record<string, Cell<readonly AuditTable[]>>>;
    },
    open: (table, names, {sliceMs}, signal) => openTable(table, {names, known, memberOf, sliceMs, signal}),
    position: async (name, signal) => {
      const {reader} = memberOf(name);
      await reader.leave(signal);
      return (await reader.ask(`select ${PLACE}`, signal))[0]?.[0]?.[0] ?? '0';
    },
    unshown: async (name, signal) => {
      const waiting = await nodeOf(cluster, name).reader.rows<{id: string}>(UNSHOWN, [], {signal});
      return waiting.map(({id}) => id);
    },
    load: async (name, signal) => {
      const [, rows] = await memberOf(name).reader.ask(BUSY, signal);
      return {active: Number(rows?.[0]?.[0] ?? 0)};
    },
    rest: async (signal) => {
      await Promise.allSettled([...members.values()].map(({reader}) => reader.leave(signal)));
    },
    received: (name) => members.get(name)?.reader.received() ?? 0,
    close: async () => {
      await Promise.all([...members.values()].map(({reader}) => reader.close()));
    },
  };
}

/* Standbys that are not waited for show a commit before its primary does, for as long as that waits for the one that is. Asked as the store's monitor. */
const UNSHOWN = `select concat_ws('/', pid, backend_start, xact_start) as id from pg_stat_activity where wait_event = 'SyncRep'`;

/* Within a transaction what is seen of other sessions is what was seen first. */
const BUSY = `select pg_stat_clear_snapshot(); select count(*) from pg_stat_activity where state = 'active' and backend_type = 'client backend' and pid <> pg_backend_pid()`;

type Opening = {
  readonly names: readonly string[];
  readonly known: ReadonlyMap<string, Known>;
  readonly memberOf: (name: string) => Member;
  readonly sliceMs: number;
  readonly signal: AbortSignal;
};

async function openTable(name: string, {names, known, memberOf, sliceMs, signal}: Opening): Promise<TableAudit> {
  const copies = new Map(
    names.map((member): [string, Copy] => {
      const {server, tables} = known.get(member) ?? {};
      const table = tables?.get(name);
      if (server === undefined || table === undefined) throw refused('not-comparable', `${member} has no table ${name}.`);
      return [member, {table, stamps: server.stamps}];
    }),
  );
  const servers = names.flatMap((member) => known.get(member)?.server ?? []);
  const shape = shapeOf(Object.fromEntries([...copies].map(([member, {table}]) => [member, table])), formOf(name, names, servers));
  const tables = [...copies.values()].map(({table}) => table);
  const rows = Math.max(...tables.map((table) => table.rows));
  const perRow = Math.max(32, ...tables.map(({bytes, rows: count}) => bytes / Math.max(1, count)));
  const opened: Opened = {
    ...{name, shape, rows, sliceMs, rawKeys: isRaw(shape, servers)},
    map: shape.order === 'ordered' ? await mapOf(copies, shape, memberOf, rows, signal) : [],
    firstRows: Math.max(1000, Math.round(((sliceMs / 1000) * BYTES_PER_S) / perRow)),
    members: new Map([...copies].map(([member, copy]) => [member, {member: memberOf(member), copy}])),
  };
  return tableAudit(opened);
}

/** Whether bytes may stand in keys that are no text, so that what is read of them may be another key. */
const isRaw = ({key}: Shape, servers: readonly Server[]): boolean =>
  servers.some(({encoding}) => encoding === 'SQL_ASCII') || key.some(({type}) => type === 'char');

/** Servers of one version hash alike, unless they do not. Texts of another encoding are other bytes. */
function formOf(table: string, names: readonly string[], servers: readonly Server[]): Form {
  const [first] = servers;
  const other = servers.findIndex(({encoding}) => encoding !== first?.encoding);
  if (first !== undefined && other !== -1) {
    const says = `${names[0]} keeps text as ${first.encoding} and ${names[other]} as ${servers[other]?.encoding}`;
    throw refused('not-comparable', `${table} cannot be compared: ${says}.`);
  }
  if (servers.some(({text}) => text !== first?.text))
    throw refused('not-comparable', `${table} cannot be compared: the servers' hash functions do not answer the same.`);
  return servers.every(({major, hashes}) => major === first?.major && hashes === first.hashes) ? 'exact' : 'text';
}

/** The ends of the key over all members, and the histogram of whichever knows most. */
async function mapOf(
  copies: ReadonlyMap<string, Copy>,
  {key}: Shape,
  memberOf: (name: string) => Member,
  rows: number,
  signal: AbortSignal,
) {
  const column = `x.${nameSql(key[0]?.name ?? '')}`;
  const ends = await Promise.all(
    [...copies].map(async ([name, {table}]) => {
      const [answer] = await memberOf(name).reader.ask(`select min(${column}), max(${column}) from ${fromSql(table)}`, signal);
      return answer?.[0] ?? [];
    }),
  );
  const found = ends.flat().flatMap((value) => (value === null || value === undefined ? [] : [BigInt(value)]));
  const known = [...copies.values()].map(({table}) => table.histogram).toSorted((a, b) => b.length - a.length)[0] ?? [];
  const histogram = known.length > 0 ? known : await sampled(copies, column, memberOf, signal);
  const between = found.length === 0 ? null : {least: found.reduce(smaller), most: found.reduce(larger)};
  return keyMap(between, rows, histogram);
}

/** Pages that are looked at of a table of which the planner knows nothing yet. */
const SAMPLE_PAGES = 200;

/** What a histogram would tell, by some pages of the largest copy. Nothing where all of it is hardly more. */
async function sampled(copies: ReadonlyMap<string, Copy>, column: string, memberOf: (name: string) => Member, signal: AbortSignal) {
  const sizes = [...copies].map(([name, {table}]) => ({name, table, pages: table.heaps.reduce((sum, heap) => sum + heap.pages, 0)}));
  const [most] = sizes.toSorted((a, b) => b.pages - a.pages);
  if (most === undefined || most.pages < SAMPLE_PAGES) return [];
  const shares = 'array(select g / 100.0::pg_catalog.float8 from pg_catalog.generate_series(0, 100) g)';
  const share = Math.min(100, (SAMPLE_PAGES / most.pages) * 100);
  const text = `select pg_catalog.percentile_disc(${shares}) within group (order by ${column}) from ${fromSql(most.table)} tablesample system (${share}) repeatable (7)`;
  const [answer] = await memberOf(most.name).reader.ask(text, signal);
  return boundsOf(answer?.[0]?.[0] ?? null);
}

/** Rows that came by a subscription carry its origin, which is named after it. */
async function originsOf(cluster: Cluster, links: Abilities['links'], {node, reader}: Member, signal: AbortSignal) {
  const text = `select 'pg_' || oid, subname from pg_subscription where subdbid = (select oid from pg_database where datname = current_database())`;
  const [subscriptions = []] = await reader.ask(text, signal);
  if (subscriptions.length === 0) return new Map<string, string>();
  const seen = await links.links(signal);
  return new Map(
    subscriptions.flatMap(([origin, name]) => {
      const link = seen.find((each) => each.to === node.name && each.link === name);
      const from = link === undefined ? undefined : cluster.nodes.get(link.from);
      return origin === null || origin === undefined || from === undefined ? [] : [[origin, from.region] as const];
    }),
  );
}

/** As the catalog quotes it, so that no two tables have one name. */
const nameOf = ({schema, relation}: CatalogRow): string => `${plain(schema)}.${plain(relation)}`;
const plain = (name: string): string => (/^[a-z_][a-z0-9_$]*$/.test(name) ? name : nameSql(name));

function toServer([major, encoding, hashes, text, stamps]: readonly (string | null)[]): Server {
  return {major: Number(major), encoding: encoding ?? '', hashes: hashes ?? '', text: text ?? '', stamps: stamps === 'on'};
}

/** The columns of CATALOG in their order. */
function toCatalogRow([schema, relation, partitioned, persistence, rows, bytes, heaps, columns, key, stats]: readonly (
  | string
  | null
)[]): CatalogRow {
  const json = (text: string | null | undefined): never => JSON.parse(text ?? 'null') as never;
  return {
    ...{schema: schema ?? '', relation: relation ?? '', partitioned: partitioned === 't', persistence: persistence ?? ''},
    ...{
      rows: Number(rows),
      bytes: Number(bytes),
      heaps: json(heaps),
      columns: json(columns),
      key: json(key),
      stats: json(stats),
    },
  };
}
