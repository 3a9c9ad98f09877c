/**
 * How two versions of a value become one, as SQL functions in the schema `lab`. Each is commutative, associative and idempotent, so the order in which
 * changes arrive, and how often, makes no difference: a join of a semilattice (Shapiro, Preguiça, Baquero, Zawirski: A comprehensive study of
 * Convergent and Commutative Replicated Data Types, INRIA RR-7506, 2011). Values are jsonb objects only: PostgreSQL keeps their keys in one order, so equal
 * states are equal bytes.
 */
export const MERGE_FUNCTIONS = `
-- Both objects in one. A key has one value for ever; should damage have given it two, the greater one is kept everywhere.
create function lab.union_of(a jsonb, b jsonb) returns jsonb language plpgsql immutable as $$
declare
  joined jsonb := a || b;
begin
  if joined @> a then return joined; end if;
  return (select jsonb_object_agg(key, value) from (
    select distinct on (key) key, value from (select * from jsonb_each(a) union all select * from jsonb_each(b)) each
    order by key, value desc) chosen);
end $$;

-- Whether a vector clock has seen all that another one has, and more.
create function lab.dominates(a jsonb, b jsonb) returns boolean language sql immutable as $$
  select a <> b and not exists (select from jsonb_each(b) seen where seen.value::bigint > coalesce((a ->> seen.key)::bigint, 0))
$$;

-- The clock that has seen all that these versions have.
create function lab.clock_of(versions jsonb) returns jsonb language sql immutable as $$
  select coalesce(jsonb_object_agg(region, count), '{}') from (
    select seen.key as region, max(seen.value::bigint) as count
    from jsonb_each(versions) version, jsonb_each(version.value -> 'clock') seen group by seen.key) latest
$$;

-- MV-register: every version that no other one dominates.
create function lab.merge_versions(a jsonb, b jsonb) returns jsonb language sql immutable as $$
  with version as materialized (select * from jsonb_each(lab.union_of(a, b)))
  select coalesce(jsonb_object_agg(key, value), '{}') from version
  where not exists (select from version other where lab.dominates(other.value -> 'clock', version.value -> 'clock'))
$$;

-- The one version that a region makes of a value: it has seen all that are there.
create function lab.next_versions(versions jsonb, region text, value jsonb) returns jsonb language sql immutable as $$
  select jsonb_build_object(region || ':' || count, jsonb_build_object('clock', seen || jsonb_build_object(region, count), 'value', value))
  from (select clock as seen, coalesce((clock ->> region)::bigint, 0) + 1 as count from lab.clock_of(versions) clock) next
$$;

-- PN-counter: per region the most ups and the most downs.
create function lab.merge_counts(a jsonb, b jsonb) returns jsonb language sql immutable as $$
  select coalesce(jsonb_object_agg(key, counts), '{}') from (
    select key, jsonb_build_array(max((value ->> 0)::bigint), max((value ->> 1)::bigint)) as counts
    from (select * from jsonb_each(a) union all select * from jsonb_each(b)) each group by key) most
$$;

create function lab.count_once(counts jsonb, region text, ups int, downs int) returns jsonb language sql immutable as $$
  select counts || jsonb_build_object(region, jsonb_build_array(
    coalesce((counts -> region ->> 0)::bigint, 0) + ups, coalesce((counts -> region ->> 1)::bigint, 0) + downs))
$$;

-- OR-set: all that was ever added and all that was ever removed, by tag. A member is in it as long as one tag of his is not removed.
create function lab.merge_members(a jsonb, b jsonb) returns jsonb language plpgsql immutable as $$
begin
  -- Most often one is all there is: a long set is not built anew for that.
  if b @> a then return b; end if;
  if a @> b then return a; end if;
  return jsonb_build_object('adds', lab.union_of(a -> 'adds', b -> 'adds'), 'removes', lab.union_of(a -> 'removes', b -> 'removes'));
end $$;

create function lab.with_member(members jsonb, region text, member text) returns jsonb language sql immutable as $$
  select jsonb_set(members, array['adds', region || ':' || last + 1], to_jsonb(member)) from (
    select coalesce(max(substr(tag, length(region) + 2)::bigint), 0) as last
    from jsonb_object_keys(members -> 'adds') tag where starts_with(tag, region || ':')) own
$$;

-- Removes the tags that are there now: who is added elsewhere meanwhile stays. Without a name, everybody is removed.
create function lab.without_member(members jsonb, member text default null) returns jsonb language sql immutable as $$
  select jsonb_set(members, '{removes}', (members -> 'removes') || coalesce(jsonb_object_agg(key, true), '{}'))
  from jsonb_each_text(members -> 'adds') where member is null or value = member
$$;

`;
