import {dirname} from 'node:path';
import type {CrashGround} from './crash-ground.ts';

/** What a member is, in words that are the same however often the fleet was moved before. */
type MemberState = {
  readonly timeline: number;
  readonly recovering: boolean;
  readonly receiver: string | null;
  readonly sender: string | null;
  readonly settings: Record<string, string>;
  readonly rules: string;
  /** How the service's own login fares by the rules that the server has loaded, whatever its file says. */
  readonly service: string;
  readonly standbys: Record<string, string>;
  /** Slots that somebody uses: a standby that is set to use one which is not there stalls for ever. */
  readonly slotsInUse: readonly string[];
  readonly claims: readonly string[];
  readonly runSessions: readonly string[];
};

/** The whole fleet as it is, past every fault: what a resumed run must have brought about exactly as an undisturbed one. */
export type EndState = {readonly members: Record<string, MemberState>; readonly weights: unknown; readonly firstWriteBy: string | null};

const MEMBER = `
select pg_is_in_recovery() as "recovering",
  case when pg_is_in_recovery() then (select received_tli from pg_stat_wal_receiver)
    else ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int end as "timeline",
  (select status from pg_stat_wal_receiver) as "receiver", (select sender_port::text from pg_stat_wal_receiver) as "sender",
  (select coalesce(jsonb_object_agg(name, current_setting(name)), '{}') from (select distinct name from pg_file_settings
    where sourcefile like '%postgresql.auto.conf' or name in ('synchronous_standby_names', 'primary_conninfo')) s) as "settings",
  (select md5(string_agg(concat_ws('|', type, database, user_name, address, auth_method), ';' order by line_number)) from pg_hba_file_rules) as "rules",
  (select coalesce(jsonb_object_agg(application_name, state || ' ' || sync_state), '{}') from pg_stat_replication where application_name <> 'pg_basebackup') as "standbys",
  array(select slot_name::text from pg_replication_slots where active order by slot_name) as "slotsInUse",
  array(select pid::text from pg_locks where locktype = 'advisory') as "claims",
  array(select application_name from pg_stat_activity where application_name like 'regionctl %') as "runSessions"`;

/** Reads the members that should be alive. Timelines are told relative to `base`. */
export async function endState(lab: CrashGround, members: readonly string[], base: number): Promise<EndState> {
  const states = await Promise.all(members.map(async (name) => [name, await memberState(lab, name, base)] as const));
  return {
    members: Object.fromEntries(states),
    weights: await lab.weights(),
    firstWriteBy: await lab.order(`end-${process.hrtime.bigint()}`).catch(String),
  };
}

/** The timeline that a primary writes. */
export async function timelineOf(lab: CrashGround, region: string): Promise<number> {
  const [row] = await lab.sql<MemberState>(region, MEMBER);
  if (row === undefined || row.recovering) throw new Error(`${region} is no primary`);
  return row.timeline;
}

async function memberState(lab: CrashGround, name: string, base: number): Promise<MemberState> {
  const [row] = await lab.sql<MemberState>(name, MEMBER);
  if (row === undefined) throw new Error(`${name} answers nothing`);
  const service = await lab.logIn(name).then(
    () => 'let in',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  const told = named(row, lab.names(name), dirname(lab.fleetFile));
  const {primary_conninfo: conninfo} = told.settings;
  // Its parameters may come in any order.
  const settings = conninfo === undefined ? told.settings : {...told.settings, primary_conninfo: conninfo.split(' ').toSorted().join(' ')};
  return {...told, settings, timeline: row.timeline - base, service};
}

/**
 * Ports as the names of whom they lead to, and no folder: those of another lab are others. The lab words its first conninfo in its own way, with quotes and a
 * limit for connecting; regionctl in another.
 */
function named<T>(row: T, names: Readonly<Record<number, string>>, dir: string): T {
  const text = Object.entries(names).reduce(
    (json, [port, to]) => json.replaceAll(`port=${port}`, `port=${to}`).replaceAll(`"${port}"`, `"${to}"`),
    JSON.stringify(row).replaceAll("'", '').replaceAll(' connect_timeout=5', '').replaceAll(dir, ''),
  );
  return JSON.parse(text) as T;
}
