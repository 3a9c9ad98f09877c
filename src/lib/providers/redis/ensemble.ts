import type {Clock} from '../../ports/clock.ts';
import type {ProviderContext, StorePart} from '../define.ts';
import {tlsSettings} from '../tls/credentials.ts';
import {type Client, createClient, type Place} from './client.ts';
import type {Address} from './replication.ts';
import type {RedisConfig, RedisMember} from './store-schema.ts';
import {createTrail, type Trail} from './trail.ts';

/** One member, and the one connection by which it is asked. `upstreams`: how it reaches others, where that differs from how we do. */
export type Node = {
  readonly name: string;
  readonly region: string;
  readonly address: Address;
  readonly upstreams: Readonly<Record<string, Address>>;
  readonly place: Place;
  readonly client: Client;
};

/** The Sentinels that watch the store under the name `master`. */
export type Sentinels = {readonly master: string; readonly each: readonly {readonly name: string; readonly client: Client}[]};

/** A store's members and what they share. */
export type Ensemble = {
  readonly store: string;
  readonly clock: Clock;
  readonly nodes: ReadonlyMap<string, Node>;
  /** null = the fleet file names none. */
  readonly sentinels: Sentinels | null;
  /** Where the members' logs ended at earlier looks. */
  readonly trail: Trail;
};

/** Builds the members and Sentinels of one store. Nothing is connected to yet. */
export function createEnsemble(part: StorePart<RedisConfig, RedisMember>, {secrets, clock, baseDir}: ProviderContext): Ensemble {
  const {config, members, name: store} = part;
  const placeOf = places(config, baseDir);
  const nodes = members.map(({name, region, config: {address, upstreams}}): Node => {
    const place = placeOf({...address, label: name, user: config.user ?? null, password: config.password ?? null}, config.tls);
    return {name, region, address, upstreams, place, client: createClient(place, secrets)};
  });
  return {
    store,
    clock,
    nodes: new Map(nodes.map((node) => [node.name, node])),
    sentinels: sentinelsOf(config, (place, secure) => createClient(placeOf(place, secure), secrets)),
    trail: createTrail(),
  };
}

type ClientOf = (place: Omit<Place, 'tls'>, secure: boolean) => Client;

function places(config: RedisConfig, baseDir: string): (place: Omit<Place, 'tls'>, secure: boolean) => Place {
  return (place, secure) => {
    const tls = tlsSettings({...config, tls: secure}, place.host, baseDir);
    return {...place, tls: tls === null ? null : {...tls, minValidMs: 0}};
  };
}

function sentinelsOf({sentinels, tls}: RedisConfig, clientOf: ClientOf): Sentinels | null {
  if (sentinels === undefined) return null;
  const {master, members, user = null, password = null, tls: secure = tls} = sentinels;
  const each = members.map((address) => {
    const label = `sentinel ${addressText(address)}`;
    return {name: label, client: clientOf({...address, label, user, password}, secure)};
  });
  return {master, each};
}

/** Ends every connection. */
export function closeAll({nodes, sentinels}: Ensemble): void {
  for (const {client} of [...nodes.values(), ...(sentinels?.each ?? [])]) client.close();
}

/** The member that has an address, as `by` reaches it, as we do, or by the address that its name led us to; null = none. */
export function memberAt(ensemble: Ensemble, address: Address, by: Node | null): Node | null {
  return [...ensemble.nodes.values()].find((node) => node !== by && isAt(node, address, by)) ?? null;
}

/** Whether a member has that address. Sentinel and INFO speak of addresses where the fleet file may have names. */
export function isAt(node: Node, address: Address, by: Node | null): boolean {
  const way = by?.upstreams[node.name];
  const reached = node.client.reached();
  const ways = [...(way === undefined ? [] : [way]), node.address, ...(reached === null ? [] : [{...node.address, host: reached}])];
  return ways.some(({host, port}) => port === address.port && bare(host) === bare(address.host));
}

/** IPv4 within IPv6 is IPv4. */
const bare = (host: string): string => host.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');

/** `10.0.0.1:6379`, `[::1]:6379`. */
export const addressText = ({host, port}: Address): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;
