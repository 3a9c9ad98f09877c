import {FACTS, withoutPasswords} from './facts.ts';

const seconds = (interval: string): string => `extract(epoch from ${interval})::float8`;
const ms = (time: string): string => `(extract(epoch from ${time}) * 1000)::float8`;
/* `greatest` takes no notice of null, so what is not known would read as 0. */
const positive = (number: string): string => `(select case when n < 0 then 0 else n end from (select ${number} as n) n)`;
const behind = (lsn: string): string => positive(`(h.here - ${lsn})::float8`);
const offset = (lsn: string): string => `(${lsn} - '0/0'::pg_lsn)::text`;
const list = (query: string): string => `(select coalesce(jsonb_agg(to_jsonb(x)), '[]') from (${query}) x)`;

/* Columns that only some versions have are taken out of the row as JSON: what is not there is null. */
const SENDERS = list(`
  select r.pid as "pid", r.application_name as "application", r.state as "state", r.sync_state as "sync",
    ${ms('r.backend_start')} as "startedAt", host(r.client_addr) as "address",
    ${behind('r.sent_lsn')} as "sendBytes", ${behind('r.write_lsn')} as "writeBytes",
    ${behind('r.flush_lsn')} as "flushBytes", ${behind('r.replay_lsn')} as "replayBytes",
    ${seconds('r.write_lag')} as "writeSeconds", ${seconds('r.flush_lag')} as "flushSeconds", ${seconds('r.replay_lag')} as "replaySeconds"
  from pg_stat_replication r`);

/* A standby computes `safe_wal_size` to where its log ended when it started, so that it never gets less. Computed as the server does, to where it ends now. */
const SAFE = `(case when h.recovering and s.safe_wal_size is not null then (
    select (div(s.restart_lsn - '0/0'::pg_lsn, g.size) + greatest(div(pg_size_bytes(current_setting('max_slot_wal_keep_size')), g.size),
        div(pg_size_bytes(current_setting('wal_keep_size')), g.size)) + 1) * g.size - (h.here - '0/0'::pg_lsn)
      from (select pg_size_bytes(current_setting('wal_segment_size'))::numeric as size) g)
  else s.safe_wal_size end)::float8`;

const SLOTS = list(`
  select s.slot_name as "name", s.slot_type as "kind", s.database as "database", s.active as "active", s.active_pid as "pid",
    s.temporary as "temporary", ${behind('s.restart_lsn')} as "retainedBytes", ${SAFE} as "safeBytes", s.wal_status as "status",
    ${behind('s.confirmed_flush_lsn')} as "confirmedBehind", ${offset('s.confirmed_flush_lsn')} as "confirmed",
    coalesce(j.j ->> 'invalidation_reason', case when j.j ->> 'conflicting' = 'true' then 'conflict with recovery' end) as "invalidated",
    coalesce((j.j ->> 'synced')::boolean, false) as "synced",
    case when not s.active then ${positive(seconds(`clock_timestamp() - (j.j ->> 'inactive_since')::timestamptz`))} end as "inactiveSeconds"
  from pg_replication_slots s, lateral (select to_jsonb(s) as j) j`);

/* A standby has the publisher's or subscriber's catalogs too, and none of its workers. Who blocks is asked in a query of its own: once, not once for
   each session of the server, because each time all of its locks are held. */
const SUBSCRIPTIONS = list(`
  select s.oid::text as "id", s.subname as "name", s.subenabled as "enabled", s.subslotname as "slot", to_jsonb(s.subpublications) as "publications",
    nullif(s.subskiplsn, '0/0')::text as "skipping",
    coalesce((select o from (select (select suborigin from pg_subscription x where x.oid = s.oid) as o) v), 'any') as "origin",
    w.pid as "pid", ${offset('w.received_lsn')} as "received", ${offset('w.latest_end_lsn')} as "reported",
    ${ms('w.last_msg_receipt_time')} as "heardAt",
    (t.j ->> 'apply_error_count')::float8 as "applyErrors", (t.j ->> 'sync_error_count')::float8 as "syncErrors",
    (select jsonb_object_agg(substr(e.key, 7), e.value) from jsonb_each(t.j) e where e.key like 'confl\\_%') as "conflicts",
    (select jsonb_build_object('pid', b.pid, 'user', b.usename, 'seconds', ${seconds('clock_timestamp() - b.xact_start')})
      from pg_stat_activity b where b.pid = any ((select pg_blocking_pids(w.pid))::int[]) order by b.xact_start limit 1) as "blockedBy",
    (select count(*) from pg_subscription_rel r where r.srsubid = s.oid and r.srsubstate in ('r', 's')) as "ready",
    (select count(*) from pg_subscription_rel r where r.srsubid = s.oid and r.srsubstate not in ('r', 's')) as "copying"
  from (select null::text as suborigin) older_versions cross join pg_subscription s
    left join lateral (select * from pg_stat_subscription w
      where w.subid = s.oid and w.relid is null and to_jsonb(w) ->> 'leader_pid' is null order by w.pid nulls last limit 1) w on true
    left join lateral (select to_jsonb(t) as j from pg_stat_subscription_stats t where t.subid = s.oid) t on true
  where s.subdbid = (select oid from pg_database where datname = current_database()) and not h.recovering`);

/* Whom replay waits for. Only a lock tells since when and who has it (pg_blocking_pids knows backends only); else the oldest transaction must end. */
const STARTUP = `(
  select jsonb_build_object('type', a.wait_event_type, 'event', a.wait_event,
    'waitedSeconds', case when a.wait_event_type = 'Lock' then
      (select ${seconds('clock_timestamp() - min(l.waitstart)')} from pg_locks l where l.pid = a.pid and not l.granted) end,
    'holder', case when a.wait_event_type in ('Lock', 'BufferPin') or a.wait_event like 'RecoveryConflict%' then
      (select jsonb_build_object('pid', b.pid, 'user', b.usename,
          'seconds', ${seconds('clock_timestamp() - b.xact_start')})
        from pg_stat_activity b
        where b.backend_type = 'client backend' and b.xact_start is not null and b.pid <> pg_backend_pid()
          and (a.wait_event_type <> 'Lock' or b.pid in (
            select o.pid from pg_locks w join pg_locks o on o.granted and o.locktype = w.locktype and o.database = w.database and o.relation = w.relation
            where w.pid = a.pid and not w.granted))
        order by b.xact_start limit 1) end)
  from pg_stat_activity a where a.backend_type = 'startup' limit 1)`;

const CONFLICTS = `(
  select sum((e.value)::float8) from pg_stat_database_conflicts c, lateral jsonb_each_text(to_jsonb(c)) e
  where h.recovering and e.key like 'confl\\_%')`;

const SETTINGS = `(
  select jsonb_object_agg(name, setting) from pg_settings where name in
    ('server_version_num', 'wal_keep_size', 'wal_receiver_timeout', 'max_standby_streaming_delay', 'recovery_min_apply_delay'))`;

/* A word of a tsvector has at most 2046 bytes: so many characters fit in any encoding, with a number before them. */
const PIECE = 400;

/* Where subscriptions lead: only a superuser may ask. Passwords are cut out before anything is sent. In pieces, each with its number. */
const CONNINFOS = `
select array_to_tsvector(array[lpad(n::text, 8, '0') || substr(j, (n - 1) * ${PIECE} + 1, ${PIECE})]) from (
  select coalesce(jsonb_agg(x), '[]')::text as j from (
    select s.oid::text as "id",
      ${withoutPasswords('s.subconninfo')} as "conninfo"
    from pg_subscription s where s.subdbid = (select oid from pg_database where datname = current_database())) x) a,
  generate_series(1, (length(j) + ${PIECE - 1}) / ${PIECE}) n`;

/* Whoever may not read a column may not name it in a statement either: so this one is a text that is only run for who may. That it is no second
   question saves every first reading a round trip, and one with a silent member too. Every server has `ts_stat`; query_to_xml only those with libxml. */
const LEADS = `(
  select case when not h.recovering and has_column_privilege('pg_subscription', 'subconninfo', 'select') then
    (select string_agg(substr(w.word, 9), '' order by w.word collate "C") from ts_stat($once$${CONNINFOS}$once$) w)::jsonb end)`;

/**
 * Everything that one server knows of its replication, in one statement: one row of JSON. Every distance is measured to the same end of its log.
 * A role needs no more than pg_monitor for it.
 */
export const READING = `
with f as materialized (${FACTS}),
h as materialized (select '0/0'::pg_lsn + f."durable"::numeric as here, f."recovering" as recovering from f)
select to_jsonb(f) as "facts", ${SENDERS} as "senders", ${SLOTS} as "slots", ${SUBSCRIPTIONS} as "subscriptions", ${STARTUP} as "startup",
  ${CONFLICTS} as "conflicts", ${SETTINGS} as "settings",
  (select coalesce(jsonb_agg(p.pubname), '[]') from pg_publication p where not h.recovering) as "publications",
  ${LEADS} as "leads", jsonb_build_object('files', has_function_privilege('pg_read_file(text, bigint, bigint, boolean)', 'execute')) as "may"
from f cross join h`;
