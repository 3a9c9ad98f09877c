import type {LinkForTopology, PlacedMember, StoreForTopology} from '../../src/lib/replication/topology-model.ts';
import {type Cell, known, unknown} from '../../src/lib/snapshot/cell.ts';
import type {Member} from '../../src/lib/snapshot/snapshot.ts';

export const AT = Date.UTC(2026, 10, 27, 20);
export const ISO = new Date(AT).toISOString();
const NOWHERE = {lineage: '1', epoch: 1, offset: '0'};

/** A member that answered in this role. */
export function seen(role: Member['role'], region = 'r'): Cell<Member> {
  const member = {region, role, writable: role !== 'standby', durable: NOWHERE, applied: NOWHERE, upstream: null, heardUpstreamAgoMs: null};
  return known(member, AT - 12, 'sql');
}

export const SILENT: Cell<Member> = unknown('timeout', 'No answer within 1500 ms.', AT - 1500);

/** A link in a state, by default one that is well. */
export function link(from: string, to: string, more: Partial<LinkForTopology> = {}): LinkForTopology {
  const {state = 'streaming'} = more;
  const well = state === 'streaming' || state === 'idle';
  return {
    store: 'orders',
    from,
    to,
    state,
    code: well ? 'ok' : state,
    reason: well ? `${to} has everything.` : `${from} says ${state} of ${to}.`,
    seconds: state === 'broken' || state === 'unknown' ? null : well ? 0 : 42,
    replayBytes: state === 'broken' || state === 'unknown' ? null : well ? 0 : 4096,
    ageMs: 7,
    ...more,
  };
}

/** A member of the fleet file; by default each in a region and a jurisdiction of its own name's first letter. */
export function placed(name: string, more: Partial<PlacedMember> = {}): PlacedMember {
  return {name, region: name, site: null, jurisdiction: 'EU', tier: 0, ...more};
}

type Sample = {
  /** Roles by member: `p` primary, `s` standby, `=` peer, `?` silent. */
  readonly roles: Readonly<Record<string, 'p' | 's' | '=' | '?'>>;
  readonly links: readonly LinkForTopology[];
  readonly places?: Readonly<Record<string, Partial<PlacedMember>>>;
  readonly more?: Partial<StoreForTopology>;
};

/** A store as it was seen. */
export function sample({roles, links, places = {}, more = {}}: Sample): StoreForTopology {
  const cells = {p: seen('primary'), s: seen('standby'), '=': seen('peer'), '?': SILENT};
  return {
    store: 'orders',
    engine: 'postgres',
    at: AT,
    members: Object.keys(roles).map((name) => placed(name, places[name] ?? {})),
    classes: [],
    seen: Object.fromEntries(Object.entries(roles).map(([name, role]) => [name, cells[role]])),
    links,
    linksTrouble: null,
    ...more,
  };
}

/** A link from each member to each other one, but for those left out: `a>b`. */
export function everyWay(names: readonly string[], except: readonly string[] = [], more: Partial<LinkForTopology> = {}): LinkForTopology[] {
  return names.flatMap((from) =>
    names.filter((to) => to !== from && !except.includes(`${from}>${to}`)).map((to) => link(from, to, {kind: 'logical', ...more})),
  );
}

/** The same role for several members. */
export const all = (names: readonly string[], role: 'p' | 's' | '=' | '?'): Record<string, typeof role> =>
  Object.fromEntries(names.map((name) => [name, role]));
