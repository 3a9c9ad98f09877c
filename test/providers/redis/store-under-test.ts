import {FaultyProxy} from '../../../src/lab/faulty-proxy.ts';
import {PortPicker} from '../../../src/lab/ports.ts';
import type {LinkReading, Store} from '../../../src/lib/ports/store.ts';
import {builtinProviders} from '../../../src/lib/providers/builtin.ts';
import type {StoreProvider} from '../../../src/lib/providers/define.ts';
import {realClock as clock} from '../../health/real-clock.ts';
import {fleet} from '../../health/samples.ts';
import {eventually} from '../../servers/embedded.ts';
import type {RedisServer} from '../../servers/redis.ts';
import {CERTIFICATES, vault} from './probe-under-test.ts';

/** The provider as the fleet file finds it. */
export const redisStore = builtinProviders.find(({port, kind}) => port === 'store' && kind === 'redis') as StoreProvider;

export type Keys = Readonly<Record<string, unknown>>;

/** The store that a fleet file opens: keys as written there, members by name. */
export async function storeOf(members: Readonly<Record<string, Keys>>, keys: Keys = {}): Promise<Store> {
  const parts = Object.entries(members).map(([name, config]) => ({
    name,
    region: `${name}-region`,
    config: redisStore.memberSchema.parse(config),
    host: null,
  }));
  const context = {fleet: fleet([]), secrets: vault, clock, baseDir: CERTIFICATES};
  return redisStore.create({name: 'cache', quorum: 0, config: redisStore.schema.parse(keys), members: parts}, context);
}

/** How a member reaches a server that stands still where it is. */
export const at = ({port}: Pick<RedisServer, 'port'>): Keys => ({address: `127.0.0.1:${port}`});

export const live = (): AbortSignal => AbortSignal.timeout(20_000);

/** The links of a store as they are read now. No figure may be negative, or none. */
export async function linksOf(store: Store): Promise<readonly LinkReading[]> {
  const read = (await store.abilities.links?.links(live())) ?? [];
  const wrong = read.flatMap((link) => Object.entries(link).filter(([, value]) => typeof value === 'number' && !(value >= 0)));
  if (wrong.length > 0) throw new Error(`a link shows ${JSON.stringify(wrong)}`);
  return read;
}

/** The link to a member. */
export async function linkTo(store: Store, member: string): Promise<LinkReading> {
  const link = (await linksOf(store)).find(({to}) => to === member);
  if (link === undefined) throw new Error(`there is no link to ${member}`);
  return link;
}

/** The link to a member, once its sender has noticed that its first copy is over. */
export function wellTo(store: Store, member: string, ms = 10_000): Promise<LinkReading> {
  let last: readonly LinkReading[] = [];
  const look = async (): Promise<LinkReading | null> => {
    last = await linksOf(store);
    const link = last.find(({to}) => to === member);
    return link?.senderState === 'streaming' && link.replayBytes === 0 && link.trouble === null ? link : null;
  };
  return eventually(look, ms).catch((error: unknown) => {
    throw new Error(`the links were read last as ${JSON.stringify(last)}`, {cause: error});
  });
}

/** A path that a replica takes to its primary. */
export type Path = {readonly proxy: FaultyProxy; readonly port: number};

export async function pathTo({port}: Pick<RedisServer, 'port'>): Promise<Path> {
  const proxy = new FaultyProxy(port);
  return {proxy, port: await proxy.listen(new PortPicker())};
}
