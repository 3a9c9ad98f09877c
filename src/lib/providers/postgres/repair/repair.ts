import {isDeepStrictEqual} from 'node:util';
import {messageOf, refused} from '../../../errors.ts';
import type {Ctx} from '../../../plan/action.ts';
import type {Repair, RowChange, RowPrint, RowStand, RowTexts} from '../../../ports/repair.ts';
import {createReader, type Reader, type Rows} from '../audit/reader.ts';
import {keyLists} from '../audit/statements.ts';
import {type Cluster, limitsOf, type Node, nodeOf, pollUntil} from '../cluster.ts';
import {codeOf} from '../trouble.ts';
import {APPLICATION, ORIGIN, openRepairSession, type RepairSession, wordError} from './session.ts';
import {findSql, printSqlOf, rowText} from './statements.ts';
import {type OwnTable, ownColumns, TABLE, toOwnTable} from './table.ts';
import {type Found, writeFound} from './write.ts';

/** A killed process leaves a session that the server ends within moments. */
const OTHERS_MS = 3000;
const POLL_MS = 50;
/** A row that somebody made at the same moment is seen at the next try. */
const TRIES = 3;

/** Repairs of rows, on any member that takes writes. Sessions are opened when they are first needed. */
export function createRepair(cluster: Cluster): Repair {
  const readers = new Map<string, Reader>();
  const sessions = new Map<string, RepairSession>();
  const tables = new Map<string, OwnTable>();
  const readerOf = (member: string): Reader => {
    const node = nodeOf(cluster, member);
    const found = readers.get(member) ?? createReader(node, node.place, cluster.clock);
    readers.set(member, found);
    return found;
  };
  const tableOf = async (member: string, name: string, signal: AbortSignal): Promise<OwnTable> => {
    const id = `${member} ${name}`;
    const found = tables.get(id) ?? toOwnTable(member, name, await readerOf(member).rows(TABLE, [name], signal));
    tables.set(id, found);
    return found;
  };
  const sessionOf = async (ctx: Ctx, node: Node): Promise<RepairSession> => {
    const found = sessions.get(node.name);
    if (found?.isOpen() === true) return found;
    const made = await openRepairSession(ctx, node, (ms, signal) => cluster.clock.sleep(ms, signal));
    sessions.set(node.name, made);
    return made;
  };
  const end = async (member: string): Promise<void> => {
    const session = sessions.get(member);
    sessions.delete(member);
    await session?.end();
  };
  return {
    columns: async (member, name, signal) => {
      const table = await tableOf(member, name, signal);
      return {columns: ownColumns(table).map((column) => column.name), key: table.key.map((column) => column.name)};
    },
    print: async (member, name, rows, signal) => {
      const table = await tableOf(member, name, signal);
      return printRows(table, readerOf(member), rows, signal);
    },
    stand: async (member, name, changes, signal) => {
      const table = await tableOf(member, name, signal);
      const rows = await readerOf(member).rows(findSql(table, false), keyLists(table, keysOf(changes)), signal);
      return standsOf(changes, foundOf(table, rows));
    },
    write: async (ctx, member, name, changes, at = null) => {
      const node = nodeOf(cluster, member);
      const table = await tableOf(member, name, ctx.signal);
      const session = await sessionOf(ctx, node);
      try {
        return await writeOnce(session, table, changes, {at, tries: TRIES});
      } catch (error) {
        throw wordError(node, error);
      }
    },
    holder: async (member, signal) => {
      const node = nodeOf(cluster, member);
      const [other] = await node.session.rows<{pid: number; since: string}>(OTHERS, [APPLICATION, sessions.get(member)?.pid ?? 0], {
        signal,
      });
      return other === undefined ? null : `the server process ${other.pid}, which began at ${other.since}`;
    },
    release: async (ctx, member) => {
      const session = sessions.get(member);
      // Only a session that has the origin can give it back; one that is lost has given it back.
      if (session?.isOpen() === true) await session.rows('select pg_replication_origin_session_reset()', []).catch(() => undefined);
      await end(member);
      await dropOrigin(cluster, ctx, nodeOf(cluster, member));
    },
    isReleased: (member, signal) => isReleased(cluster, nodeOf(cluster, member), sessions.get(member)?.pid ?? 0, signal),
    close: async () => {
      await Promise.all([...[...readers.values()].map((reader) => reader.close()), ...[...sessions.keys()].map(end)]);
    },
  };
}

const OTHERS = `select pid, to_char(backend_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"') as since from pg_stat_activity
  where application_name = $1 and pid <> $2 order by backend_start limit 1`;
const DROP = 'select pg_replication_origin_drop($1) where pg_replication_origin_oid($1) is not null';
const LEFT = `select pg_replication_origin_oid($1) is not null as left,
  exists (select from pg_stat_activity where application_name = $2 and pid <> $3) as used`;

/** A killed process leaves a session that the server ends within moments; who has it for longer is another repair, which drops it itself. */
async function dropOrigin(cluster: Cluster, ctx: Ctx, node: Node): Promise<void> {
  await pollUntil(cluster, ctx, {forMs: OTHERS_MS, everyMs: POLL_MS}, async () => {
    try {
      await node.session.rows(DROP, [ORIGIN], limitsOf(ctx));
      return true;
    } catch (error) {
      if (codeOf((error as Error).cause) === '55006') return null;
      throw error;
    }
  });
}

/** What another repair uses is left to it; a session that is gone in a moment was a killed process's. */
async function isReleased(cluster: Cluster, {session}: Node, own: number, signal: AbortSignal): Promise<boolean> {
  const end = cluster.clock.now() + OTHERS_MS;
  for (;;) {
    const [answer] = await session.rows<{left: boolean; used: boolean}>(LEFT, [ORIGIN, APPLICATION, own], {signal});
    if (answer?.left === false || (answer?.used === true && cluster.clock.now() >= end)) return true;
    if (answer?.used !== true) return false;
    await cluster.clock.sleep(POLL_MS, signal);
  }
}

const keysOf = (changes: readonly RowChange[]): readonly string[] => changes.map(({key}) => key);

/** What a server says to a value that it does not read: of a name (`regproc`) also that there is none such, or two. */
const OF_VALUES = /^(2[23]...|42(725|883|704|P01|601|602)|0A000)$/;

async function printRows(table: OwnTable, reader: Reader, rows: readonly RowTexts[], signal: AbortSignal): Promise<readonly RowPrint[]> {
  if (rows.length === 0) return [];
  try {
    const read = await reader.rows(printSqlOf(table), [rows.map((row) => rowText(table, row))], signal);
    return read.map((values) => printOf(table, rowOf(table, values)));
  } catch (error) {
    signal.throwIfAborted();
    const [only, ...others] = rows;
    if (only === undefined || !OF_VALUES.test(codeOf((error as Error).cause ?? error))) throw error;
    if (others.length === 0) return [{ok: false, reason: messageOf(error)}];
    // Which of them it was is found by halves.
    const half = Math.ceil(rows.length / 2);
    const before = await printRows(table, reader, rows.slice(0, half), signal);
    return [...before, ...(await printRows(table, reader, rows.slice(half), signal))];
  }
}

/** A byte that was lost on the way to us would be written back as another. */
function printOf({rawText}: OwnTable, row: RowTexts): RowPrint {
  const lossy = rawText ? Object.entries(row).find(([, value]) => value?.includes('\uFFFD') === true) : undefined;
  return lossy === undefined
    ? {ok: true, row}
    : {ok: false, reason: `${lossy[0]} holds bytes that are no UTF-8 (the database is SQL_ASCII)`};
}

/** The rows that were found, by the place of their key in the lists. */
function foundOf(table: OwnTable, rows: Rows): ReadonlyMap<number, Found> {
  return new Map(
    rows.map(([n, ctid, tableoid, ...values]) => [Number(n) - 1, {ctid: ctid ?? '', tableoid: tableoid ?? '', row: rowOf(table, values)}]),
  );
}

const rowOf = (table: OwnTable, values: readonly (string | null)[]): RowTexts =>
  Object.fromEntries(ownColumns(table).map(({name}, index) => [name, values[index] ?? null]));

function standsOf(changes: readonly RowChange[], found: ReadonlyMap<number, Found>): readonly RowStand[] {
  return changes.map(({from, to}, index) => {
    const row = found.get(index)?.row ?? null;
    return isDeepStrictEqual(row, to) ? 'to' : isDeepStrictEqual(row, from) ? 'from' : 'other';
  });
}

const XACT = `select pg_catalog.pg_replication_origin_xact_setup('0/0', coalesce($1::pg_catalog.timestamptz, pg_catalog.clock_timestamp()))`;

/** One transaction: rows are locked as they are found, and read once more before the end, since a trigger may have had other ideas. */
async function writeOnce(
  session: RepairSession,
  table: OwnTable,
  changes: readonly RowChange[],
  {at, tries}: {readonly at: string | null; readonly tries: number},
): Promise<readonly RowStand[]> {
  const lists = keyLists(table, keysOf(changes));
  await session.rows('begin', []);
  try {
    // The time of the commit is that of the session's first one otherwise.
    await session.rows(XACT, [at]);
    const found = foundOf(table, await session.rows(findSql(table, true), lists));
    const stands = standsOf(changes, found);
    await writeFound(session, table, changes, {found, stands});
    const after = standsOf(changes, foundOf(table, await session.rows(findSql(table, false), lists)));
    const missed = changes.filter((_, index) => stands[index] === 'from' && after[index] !== 'to');
    if (missed.length > 0) throw notTaken(table, missed);
    await session.rows('commit', []);
    return stands;
  } catch (error) {
    await session.rows('rollback', []).catch(() => undefined);
    if (codeOf(error) === '23505' && tries > 1) return writeOnce(session, table, changes, {at, tries: tries - 1});
    throw error;
  }
}

const notTaken = ({name}: OwnTable, missed: readonly RowChange[]): Error =>
  refused(
    'row-not-taken',
    `${name} does not hold what was written to ${missed.length} of its rows, the first with the key ${missed[0]?.key}: a trigger that is enabled for replicas has changed or dropped it. Nothing was written.`,
    {suggestions: [`let the trigger step aside where current_setting('regionctl.repair', true) is 'on'`]},
  );
