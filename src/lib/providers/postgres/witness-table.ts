import type {Client} from 'pg';
import {messageOf, refused, unavailable} from '../../errors.ts';
import {quoteIdent} from './sql.ts';
import {codeOf} from './trouble.ts';

const [SCHEMA, NAME] = ['public', 'regionctl_witness'];
/** The witness's own table. It has a primary key, so that a publication of all tables does not forbid to clean it; `ref` is not unique, so that a write that was done twice can be seen. */
export const TABLE = `${quoteIdent(SCHEMA)}.${quoteIdent(NAME)}`;
export const INSERT = `insert into ${TABLE} (run, ref) values ($1, $2)`;

const CREATE = `create table if not exists ${TABLE} (id bigint generated always as identity primary key, run text not null, ref text not null,
  written_at timestamptz not null default clock_timestamp())`;
const LOOK = `select c.oid is not null as "there", coalesce(has_table_privilege(c.oid, 'INSERT') and has_table_privilege(c.oid, 'SELECT')
  and has_table_privilege(c.oid, 'DELETE'), false) as "may", current_database() as "database", session_user as "role"
from (select to_regclass('${TABLE}') as oid) c`;
const PAGE = `select id::text as "id", ref from ${TABLE} where run = $1 and id > $2::bigint order by id limit $3`;
const PAGE_ROWS = 10_000;
const DELETE = `delete from ${TABLE} where run = $1`;
const END_SESSIONS = 'select pg_terminate_backend(pid) from pg_stat_activity where usename = session_user and application_name = $1';
const MOST_LOOKS = 100;
const OWN = `select pg_has_role(session_user, relowner, 'USAGE') as "own" from pg_class where oid = to_regclass('${TABLE}')`;
const EMPTY = `select not exists (select from ${TABLE}) as "empty"`;

const DENIED = '42501';
const LOCKED = '55P03';

type Look = {readonly there: boolean; readonly may: boolean; readonly database: string; readonly role: string};

/** Makes the table, or sees that it can be used. Throws `witness-privilege` (77), which names the GRANT. */
export async function makeTable(client: Client, member: string): Promise<void> {
  const before = await look(client);
  if (before.there && !before.may)
    throw notGranted(member, before, `GRANT SELECT, INSERT, DELETE ON ${TABLE} TO ${quoteIdent(before.role)}`);
  if (before.there) return;
  try {
    await ask(client, CREATE);
  } catch (error) {
    // Somebody else was faster.
    if ((await look(client)).may) return;
    if (codeOf(error) !== DENIED) throw error;
    throw notGranted(member, before, `GRANT CREATE ON SCHEMA ${quoteIdent(SCHEMA)} TO ${quoteIdent(before.role)}`, error);
  }
}

/** How often each reference of a run is there. */
export async function readTable(client: Client, run: string, signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  if (!(await look(client)).there) return counts;
  for (let after = '0'; ; ) {
    signal.throwIfAborted();
    const rows = await ask<{id: string; ref: string}>(client, PAGE, [run, after, PAGE_ROWS]);
    for (const {ref} of rows) counts.set(ref, (counts.get(ref) ?? 0) + 1);
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_ROWS) return counts;
    after = last.id;
  }
}

/** What the server calls the sessions that write for a run. It keeps 63 bytes of a name. */
export const sessionsOf = (run: string): string => Buffer.from(`regionctl witness ${run}`).toString('utf8', 0, 63);

/**
 * Removes what a run wrote, and the table when it is empty then and our own. One that another run writes to is left. `pause` is for sessions that
 * are still ending: a commit that waited for standbys is there when its wait is over, and not before.
 */
export async function clearTable(client: Client, run: string, pause: () => Promise<void>): Promise<void> {
  if (!(await look(client)).there) return;
  for (let looks = 0; (await ask(client, END_SESSIONS, [sessionsOf(run)])).length > 0; looks += 1) {
    if (looks >= MOST_LOOKS) throw unavailable('witness-sessions', 'sessions of the witness did not end when they were told to');
    await pause();
  }
  // Nobody has to hold on to this one.
  await ask(client, 'set synchronous_commit to local');
  await ask(client, DELETE, [run]);
  const rows = await ask<{own: boolean}>(client, OWN);
  if (rows[0]?.own === true) await dropEmpty(client);
}

async function dropEmpty(client: Client): Promise<void> {
  try {
    await ask(client, `begin; set local lock_timeout = '500ms'; lock table ${TABLE} in access exclusive mode`);
    const rows = await ask<{empty: boolean}>(client, EMPTY);
    await ask(client, rows[0]?.empty === true ? `drop table ${TABLE}; commit` : 'rollback');
  } catch (error) {
    await ask(client, 'rollback');
    if (codeOf(error) !== LOCKED) throw error;
  }
}

async function look(client: Client): Promise<Look> {
  const rows = await ask<Look>(client, LOOK);
  const [row] = rows;
  if (row === undefined) throw new Error('it answered no row where one was expected');
  return row;
}

function notGranted(member: string, {role, database}: Look, grant: string, cause?: unknown) {
  const why = cause === undefined ? 'it may not write to it' : messageOf(cause);
  const message = `${member} does not let the role "${role}" use the table ${TABLE} for the witness (${why}): it lacks ${grant}`;
  return refused('witness-privilege', message, {
    suggestions: [`On the primary, in the database ${quoteIdent(database)}: ${grant};`],
    ...(cause === undefined ? {} : {cause}),
  });
}

/** One answer may be long, and take its time. */
const ANSWER_MS = 60_000;

async function ask<Row>(client: Client, text: string, values?: readonly unknown[]): Promise<readonly Row[]> {
  const query = {text, ...(values === undefined ? {} : {values: [...values]}), query_timeout: ANSWER_MS};
  return (await client.query<Row & Record<string, unknown>>(query)).rows;
}
