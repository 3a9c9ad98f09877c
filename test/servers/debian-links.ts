import {CLEAR, FaultyProxy, type PathShape} from '../../src/lab/faulty-proxy.ts';
import {PortPicker} from '../../src/lab/ports.ts';

/** The ways over which servers are reached: each can be delayed, throttled or swallow everything by itself. */
export type Links = {
  /** By which `standby` reaches `upstream` for replication, base backups and rewinds. */
  replication(standby: string, upstream: string): FaultyProxy;
  /** By which clients and regionctl reach a server. */
  access(name: string): FaultyProxy;
  /** The ports of both. */
  replicationPort(standby: string, upstream: string): number;
  accessPort(name: string): number;
  /** Cuts a server off from everybody: nothing passes, and nothing is refused. */
  cut(name: string): void;
  /** Every way of a server is clear again; without a name, every way. */
  clear(name?: string): void;
  end(): Promise<void>;
};

type Way = {readonly proxy: FaultyProxy; readonly port: number; readonly ends: readonly string[]};

/** Opens a way for each direction of each pair, and one for the clients of each server. */
export async function openLinks(targets: Readonly<Record<string, number>>): Promise<Links> {
  const ports = new PortPicker();
  const ways = new Map<string, Way>();
  const names = Object.keys(targets);
  const add = async (key: string, to: string, ends: readonly string[]): Promise<void> => {
    const proxy = new FaultyProxy(targets[to]);
    ways.set(key, {proxy, port: await proxy.listen(ports), ends});
  };
  for (const to of names) {
    await add(to, to, [to]);
    for (const from of names) if (from !== to) await add(`${from}>${to}`, to, [from, to]);
  }
  const way = (key: string): Way => {
    const found = ways.get(key);
    if (found === undefined) throw new Error(`there is no way ${key}`);
    return found;
  };
  const reshape = (name: string | undefined, shape: PathShape): void => {
    for (const {proxy, ends} of ways.values()) if (name === undefined || ends.includes(name)) proxy.reshape(shape);
  };
  return {
    replication: (standby, upstream) => way(`${standby}>${upstream}`).proxy,
    access: (name) => way(name).proxy,
    replicationPort: (standby, upstream) => way(`${standby}>${upstream}`).port,
    accessPort: (name) => way(name).port,
    cut: (name) => reshape(name, {...CLEAR, blackHole: true}),
    clear: (name) => reshape(name, CLEAR),
    end: async () => {
      await Promise.all([...ways.values()].map(({proxy}) => proxy.close()));
    },
  };
}
