import type {TableRule} from '../../fleet/fleet.ts';
import type {Parsed} from './exact-json.ts';
import {parseHlc} from './hlc.ts';
import {stampOf, timeName} from './stamp.ts';
import {compareStates} from './states.ts';
import {compareClocks, type Order, parseClock, type VectorClock} from './vector-clock.ts';
import {type Columns, cell, differing, type Present} from './version.ts';

/**
 * How a version stands to another that differs from it. `by`: what tells it, such as "vector clock"; where nothing tells, `reason` says why.
 * `before` = it is the older of the two; `same` = one clock or state, and yet other columns.
 */
export type Relation =
  | {readonly order: 'before' | 'after' | 'concurrent'; readonly by: readonly string[]}
  | {readonly order: 'same' | 'unknown'; readonly reason: string};

type Part = Relation | {readonly order: 'equal'; readonly by: readonly string[]};

/**
 * How `a` stands to `b`: merged columns by their states; all others by the vector clock where the table has one that can be read, else by the hybrid
 * logical clock, and only where neither is declared by commit time. The whole is the product of these orders: older in one and newer in another is
 * concurrent.
 */
export function relate(rule: TableRule, a: Present, b: Present): Relation {
  const columns = differing([a.row, b.row]);
  const merged = columns.filter((column) => Object.hasOwn(rule.merge, column));
  const parts = merged.map((column) => relateStates(rule, column, a.row, b.row));
  return product([...parts, ...(merged.length < columns.length ? [relateRows(rule, a, b)] : [])]);
}

/** How each of some versions that all differ stands to each other; every pair is looked at once. */
export function relateAll(rule: TableRule, rows: readonly Present[]): (a: Present, b: Present) => Relation {
  const table = rows.map((a, one) => rows.map((b, other) => (one < other ? relate(rule, a, b) : null)));
  return (a, b) => {
    const [one, other] = [rows.indexOf(a), rows.indexOf(b)];
    const [relation, opposite] = [table[one]?.[other], table[other]?.[one]];
    return relation ?? reversed(opposite ?? relate(rule, b, a));
  };
}

function reversed(relation: Relation): Relation {
  if (relation.order === 'before') return {...relation, order: 'after'};
  return relation.order === 'after' ? {...relation, order: 'before'} : relation;
}

function product(parts: readonly Part[]): Relation {
  const untold = parts.find((part) => part.order === 'unknown' || part.order === 'same');
  if (untold !== undefined && 'reason' in untold) return untold;
  const known = parts.flatMap((part) => ('by' in part && part.order !== 'equal' ? [part] : []));
  const by = [...new Set(known.flatMap((part) => part.by))];
  const orders = new Set(known.map(({order}) => order));
  if (orders.has('concurrent') || orders.size > 1) return {order: 'concurrent', by};
  return orders.size === 0
    ? {order: 'same', reason: 'their states mean the same and are only written differently'}
    : {order: orders.has('before') ? 'before' : 'after', by};
}

function relateStates({merge}: TableRule, column: string, a: Columns, b: Columns): Part {
  const order = compareStates(merge[column] ?? 'mv-register', cell(a, column), cell(b, column));
  return order.ok ? {order: order.value, by: [`the state of ${column}`]} : {order: 'unknown', reason: `${column}: ${order.reason}`};
}

/** By what is declared and can be read; see `relate`. */
function relateRows(rule: TableRule, a: Present, b: Present): Relation {
  if (rule.vectorClock !== null) {
    const order = clockOrder(rule, a, b);
    if (order.ok) return ordered(order.value, 'vector clock');
    if (rule.hlc === null) return {order: 'unknown', reason: order.reason};
  }
  const [left, right] = [stampOf(rule, a), stampOf(rule, b)];
  if (!left.ok || !right.ok) return {order: 'unknown', reason: reasonOf(left, right)};
  if (left.value.time !== right.value.time) return ordered(left.value.time < right.value.time ? 'before' : 'after', timeName(rule));
  // A hybrid logical clock that has seen another is greater: of two equal ones of different regions neither saw the other.
  const [one, other] = [cell(a.row, rule.region), cell(b.row, rule.region)];
  return ordered(rule.hlc !== null && one !== null && other !== null && one !== other ? 'concurrent' : 'equal', timeName(rule));
}

const reasonOf = (...read: readonly Parsed<unknown>[]): string => read.flatMap((each) => (each.ok ? [] : [each.reason]))[0] ?? '';

function ordered(order: Order, by: string): Relation {
  return order === 'equal' ? {order: 'same', reason: `they have the same ${by}`} : {order, by: [by]};
}

/** How the vector clocks of two rows stand; not ok = one cannot be read. */
export function clockOrder(rule: TableRule, a: Present, b: Present): Parsed<Order> {
  const [left, right] = [clockOf(rule, a), clockOf(rule, b)];
  if (!left.ok) return left;
  return right.ok ? {ok: true, value: compareClocks(left.value, right.value)} : right;
}

/** The vector clock of a row; not ok = there is none that can be read. */
export function clockOf({vectorClock}: TableRule, {row, regions}: Present): Parsed<VectorClock> {
  const text = cell(row, vectorClock);
  const clock = text === null ? ({ok: false, reason: 'there is none'} as const) : parseClock(text);
  return clock.ok ? clock : {ok: false, reason: `the vector clock of ${regions[0]}: ${clock.reason}`};
}

/** The hybrid logical clock of a row; null = the table has none, or it cannot be read. */
export function hlcOf({hlc}: TableRule, row: Columns): bigint | null {
  const read = parseHlc(cell(row, hlc) ?? '');
  return read.ok ? read.value : null;
}
