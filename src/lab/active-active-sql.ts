import {MERGE_FUNCTIONS} from './active-active-merge.ts';

/*
 * The database of a lab in which every region takes writes. What travels between regions is not the tables' own changes, but what lab.changes is given:
 * after each local write, the whole state of the row. It is an outbox: inserted, and deleted at once, in the writing transaction; only inserts are
 * published. A receiver merges the state instead of storing it. So a change needs nothing to be there already (an UPDATE of a row whose INSERT has
 * not arrived yet is lost by logical replication: update_missing), nothing can exist twice (insert_exists would block the stream), and every region ends
 * with the merge of all states.
 */

/** The longest row that is sent, in bytes: as text it may be six times as long. 100 MB were seen to take 18 s, the timeouts of the profile fast are 5 s. */
const MOST_STATE_BYTES = 8 * 1024 * 1024;

/** Tables that are replicated, what keeps time, and what sends and receives. */
const FOUNDATION = `
create schema lab;

create function lab.region() returns text language sql stable as $$ select current_setting('shop.region') $$;

-- A repair writes exactly what it says: nothing is stamped, merged or sent.
create function lab.repairing() returns boolean language sql stable as $$ select coalesce(current_setting('regionctl.repair', true) = 'on', false) $$;

-- The last time that was given out or heard of.
create sequence lab.clock minvalue 0 start 0;

-- The next hybrid logical time, after every one that this region gave out and after 'seen': ms since 1970 times 65536, plus a counter (Kulkarni, Demirbas,
-- Madappa, Avva, Leone: Logical Physical Clocks, OPODIS 2014). The inner block is rolled back on purpose: that ends the lock at once, whatever
-- happens, and leaves the sequence as it was set.
create function lab.tick(seen bigint default 0) returns bigint language plpgsql as $$
declare
  later bigint;
begin
  begin
    perform pg_advisory_xact_lock(hashtext('lab.clock'));
    select greatest(floor(extract(epoch from clock_timestamp()) * 1000)::bigint << 16, last_value + 1, seen + 1) into later from lab.clock;
    perform setval('lab.clock', later);
    raise sqlstate 'LB000';
  exception when sqlstate 'LB000' then null;
  end;
  return later;
end $$;

create table lab.changes (
  "table" text not null check ("table" in ('orders', 'profiles', 'likes', 'members')),
  state jsonb not null
);

create publication regions for table lab.changes with (publish = 'insert');

-- As its owner: what clients could put here themselves, no other region might be able to merge.
create function lab.send() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  state jsonb;
  sent tid;
begin
  if lab.repairing() then return null; end if;
  state := to_jsonb(new);
  -- A receiver says nothing while it reads and merges one row. One that takes longer than the timeouts of replication would be sent again for ever.
  if pg_column_size(state) > ${MOST_STATE_BYTES} then
    raise exception 'a row of % is too long to be sent to other regions: % bytes, at most ${MOST_STATE_BYTES}', tg_table_name, pg_column_size(state)
      using errcode = 'program_limit_exceeded';
  end if;
  insert into lab.changes values (tg_table_name, state) returning ctid into sent;
  delete from lab.changes where ctid = sent;
  return null;
end $$;

create function lab.refuse_key_change() returns trigger language plpgsql as $$
begin
  if lab.repairing() then return new; end if;
  raise exception 'the key of a row of % cannot be changed: write a new row', tg_table_name using errcode = 'feature_not_supported';
end $$;

create function lab.refuse_truncate() returns trigger language plpgsql as $$
begin
  if lab.repairing() then return null; end if;
  raise exception '% cannot be emptied at once: other regions would keep its rows', tg_table_name
    using errcode = 'feature_not_supported', hint = 'Delete the rows.';
end $$;

`;

/** The newest write of the whole row wins, by hybrid logical clock and then by name of the region. */
const ORDERS = `
create table orders (
  id bigint generated always as identity primary key,
  ref text not null,
  item text not null,
  quantity int not null,
  region text not null,
  created_at timestamptz not null default now(),
  hlc bigint not null default 0,
  deleted boolean not null default false
);

create index orders_ref on orders (ref);

create function lab.stamp_order() returns trigger language plpgsql as $$
declare
  last bigint := 0;
begin
  if lab.repairing() then return new; end if;
  if tg_op = 'UPDATE' then
    last := old.hlc;
  else
    select hlc into last from public.orders where id = new.id and deleted;
    if found then delete from public.orders where id = new.id and deleted; end if;
  end if;
  new.hlc := lab.tick(coalesce(last, 0));
  new.region := lab.region();
  return new;
end $$;

-- A delete becomes a change of the row. Only a tombstone that makes room for a new row with its key is really deleted.
create function lab.bury_order() returns trigger language plpgsql as $$
begin
  if lab.repairing() or (old.deleted and pg_trigger_depth() > 1) then return old; end if;
  update public.orders set deleted = true where id = old.id and not deleted;
  return null;
end $$;

create function lab.merge_order(state jsonb) returns void language plpgsql as $$
begin
  if (state ->> 'hlc')::bigint > (select last_value from lab.clock) then perform lab.tick((state ->> 'hlc')::bigint); end if;
  insert into public.orders overriding system value select sent.* from jsonb_populate_record(null::public.orders, state) sent
  on conflict (id) do update set ref = excluded.ref, item = excluded.item, quantity = excluded.quantity, region = excluded.region,
    created_at = excluded.created_at, hlc = excluded.hlc, deleted = excluded.deleted
  where (excluded.hlc, excluded.region collate "C") > (orders.hlc, orders.region collate "C");
end $$;

create trigger a_key before update of id on orders for each row when (new.id <> old.id) execute function lab.refuse_key_change();

create trigger b_stamp before insert or update on orders for each row execute function lab.stamp_order();

create trigger b_bury before delete on orders for each row execute function lab.bury_order();

create trigger c_send after insert or update on orders for each row execute function lab.send();

create trigger a_truncate before truncate on orders execute function lab.refuse_truncate();

`;

/** SQL of a table: `check` of its value, `read` what fails for a value that passes it and cannot be merged (absent = there is none), `onDelete` what a delete does instead. */
type Mergeable = Readonly<Record<'table' | 'key' | 'value' | 'check' | 'merge' | 'onDelete', string>> & {readonly read?: string};

/** A table of one key and one mergeable value. A local write can only add to the value: what was there is merged into it. */
const mergeable = ({table, key, value, check, merge, read, onDelete}: Mergeable) => `
create table ${table} (
  ${key} text primary key,
  ${value} jsonb not null check (${check})
);

create function lab.keep_${table}() returns trigger language plpgsql as $$
begin
  if lab.repairing() then return new; end if;
  -- What cannot be merged fails here, where a client is told; elsewhere it would end the stream for ever.
  ${read === undefined ? '' : `perform ${read};`}
  if tg_op = 'UPDATE' then new.${value} := lab.${merge}(old.${value}, new.${value}); end if;
  return new;
end $$;

create function lab.bury_${table}() returns trigger language plpgsql as $$
begin
  if lab.repairing() then return old; end if;
  ${onDelete}
  return null;
end $$;

create function lab.merge_${table}(state jsonb) returns void language sql as $$
  insert into public.${table} values (state ->> '${key}', state -> '${value}')
  on conflict (${key}) do update set ${value} = lab.${merge}(${table}.${value}, excluded.${value})
  where ${table}.${value} is distinct from excluded.${value} and ${table}.${value} <> lab.${merge}(${table}.${value}, excluded.${value})
$$;

create trigger a_key before update of ${key} on ${table} for each row when (new.${key} <> old.${key}) execute function lab.refuse_key_change();

create trigger b_keep before insert or update on ${table} for each row execute function lab.keep_${table}();

create trigger b_bury before delete on ${table} for each row execute function lab.bury_${table}();

create trigger c_send after insert or update on ${table} for each row execute function lab.send();

create trigger a_truncate before truncate on ${table} execute function lab.refuse_truncate();

`;

const MERGEABLE = [
  mergeable({
    ...{table: 'profiles', key: 'id', value: 'versions', merge: 'merge_versions', read: 'lab.clock_of(new.versions)'},
    check: "jsonb_typeof(versions) = 'object'",
    onDelete: "perform public.write_profile(old.id, 'null');",
  }),
  mergeable({
    ...{table: 'likes', key: 'post', value: 'counts', merge: 'merge_counts', read: "lab.merge_counts(new.counts, '{}')"},
    check: "jsonb_typeof(counts) = 'object'",
    onDelete:
      "raise exception 'a counter cannot be deleted: %', old.post using errcode = 'feature_not_supported', hint = 'Count it down with unlike_post.';",
  }),
  mergeable({
    ...{table: 'members', key: 'team', value: 'members', merge: 'merge_members'},
    // A check that comes to null would hold.
    check: "(jsonb_typeof(members -> 'adds') = 'object' and jsonb_typeof(members -> 'removes') = 'object') is true",
    onDelete: 'update public.members set members = lab.without_member(members) where team = old.team;',
  }),
].join('');

/** What clients call. Each is one upsert: two clients at once wait for each other, and none fails. */
const FOR_CLIENTS = `
create function write_profile(id text, value jsonb) returns void language sql as $$
  insert into public.profiles values ($1, lab.next_versions('{}', lab.region(), $2))
  on conflict (id) do update set versions = lab.next_versions(profiles.versions, lab.region(), $2)
$$;

create function like_post(post text) returns void language sql as $$
  insert into public.likes values ($1, lab.count_once('{}', lab.region(), 1, 0))
  on conflict (post) do update set counts = lab.count_once(likes.counts, lab.region(), 1, 0)
$$;

create function unlike_post(post text) returns void language sql as $$
  insert into public.likes values ($1, lab.count_once('{}', lab.region(), 0, 1))
  on conflict (post) do update set counts = lab.count_once(likes.counts, lab.region(), 0, 1)
$$;

create function add_member(team text, member text) returns void language sql as $$
  insert into public.members values ($1, lab.with_member('{"adds": {}, "removes": {}}', lab.region(), $2))
  on conflict (team) do update set members = lab.with_member(members.members, lab.region(), $2)
$$;

create function remove_member(team text, member text) returns void language sql as $$
  update public.members set members = lab.without_member(members.members, $2) where members.team = $1
$$;

`;

/**
 * The receiving end. It is no table's own trigger, so a repair that writes to a table meets nothing of it. One stream merges at a time: two that each
 * wait for a row of the other would end one of them with an error. A client may still be in the way of a stream, and then it is the client whose
 * statement ends: its own deadlock_timeout is shorter.
 */
const RECEIVE = `
create function lab.receive() returns trigger language plpgsql set search_path = pg_catalog set deadlock_timeout = '1min' as $$
begin
  perform pg_advisory_xact_lock(hashtext('lab.receive'));
  case new."table"
    when 'orders' then perform lab.merge_order(new.state);
    when 'profiles' then perform lab.merge_profiles(new.state);
    when 'likes' then perform lab.merge_likes(new.state);
    when 'members' then perform lab.merge_members(new.state);
  end case;
  return null;
end $$;

create trigger receive before insert on lab.changes for each row execute function lab.receive();

alter table lab.changes enable replica trigger receive;

`;

/** The service's role owns the tables, and can use what they call; it cannot change how changes travel. */
const OWNERS = `
alter table orders owner to app;

alter table profiles owner to app;

alter table likes owner to app;

alter table members owner to app;

grant usage on schema lab to app;

grant select, update on sequence lab.clock to app;

`;

/** All of it, for a superuser in the database `orders`; never in single-user mode, where it would get numbers of the system's own that are not published. */
export const ACTIVE_ACTIVE = [FOUNDATION, MERGE_FUNCTIONS, ORDERS, MERGEABLE, FOR_CLIENTS, RECEIVE, OWNERS].join('');

/** Ids of orders are given out by turns: region number `index`, from 0, of `count`. */
export function idTurns(index: number, count: number): string {
  return `alter table public.orders alter column id set start with ${index + 1} set increment by ${count} restart`;
}
