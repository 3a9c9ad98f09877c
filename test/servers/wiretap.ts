import {connect, createServer, type Server, type Socket} from 'node:net';
import {PortPicker} from '../../src/lab/ports.ts';
import type {DebianFleet} from './debian.ts';
import {eventually} from './embedded.ts';

/** What passes over the ways of fleets, by way: `eu-b>eu-a` is the standby's way to its upstream, `eu-a` the way of everybody else to it. */
export type Wiretap = {
  /** The ways that have carried this text, in either direction, in order of their names. */
  carried(text: string): readonly string[];
  end(): Promise<void>;
};

/** Listens on every way of fleets that were started with `links`. Their standbys connect anew, so that nothing passes beside it. */
export async function tapLinks(fleets: readonly DebianFleet[]): Promise<Wiretap> {
  const taps = new Map<string, Tap>();
  const ports = new PortPicker();
  for (const {links, servers} of fleets) {
    const names = Object.keys(servers);
    for (const to of names) {
      const standbys = names.filter((name) => name !== to).map((name) => [`${name}>${to}`, links.replication(name, to)] as const);
      for (const [way, proxy] of [[to, links.access(to)] as const, ...standbys]) {
        const tap = new Tap(proxy.target);
        taps.set(way, tap);
        proxy.target = await tap.listen(ports);
      }
    }
  }
  for (const fleet of fleets) await renewReplication(fleet, taps);
  return {
    carried: (text) =>
      [...taps]
        .filter(([, tap]) => tap.carried(text))
        .map(([way]) => way)
        .toSorted(),
    end: async () => {
      await Promise.all([...taps.values()].map((tap) => tap.close()));
    },
  };
}

/** Ends what was connected before the taps were there, and waits until each standby streams through one. */
async function renewReplication({servers}: DebianFleet, taps: ReadonlyMap<string, Tap>): Promise<void> {
  const [primary, ...standbys] = Object.keys(servers);
  if (primary === undefined) return;
  const sql = async <Row extends object>(text: string) => (await servers[primary]?.sql<Row & Record<string, unknown>>(text)) ?? [];
  const before = (await sql<{pid: number}>('select pid, pg_terminate_backend(pid) from pg_stat_replication')).map(({pid}) => pid);
  await eventually(async () => {
    const now = await sql<{pid: number}>(`select pid from pg_stat_replication where state = 'streaming'`);
    const tapped = standbys.every((name) => taps.get(`${name}>${primary}`)?.used());
    return tapped && now.filter(({pid}) => !before.includes(pid)).length === standbys.length;
  });
}

/** A TCP proxy on 127.0.0.1 that keeps every byte, in order, for each direction of each connection. */
class Tap {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #heard: Buffer[][] = [];

  constructor(target: number) {
    this.#server = createServer({noDelay: true}, (client) => {
      const server = connect({port: target, host: '127.0.0.1', noDelay: true});
      this.#listenIn(client, server);
      this.#listenIn(server, client);
    });
  }

  listen(ports: PortPicker): Promise<number> {
    return ports.listen(this.#server);
  }

  used(): boolean {
    return this.#heard.some((pieces) => pieces.length > 0);
  }

  /** Also when it came in pieces. */
  carried(text: string): boolean {
    return this.#heard.some((pieces) => Buffer.concat(pieces).includes(text));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #listenIn(from: Socket, to: Socket): void {
    const pieces: Buffer[] = [];
    this.#heard.push(pieces);
    this.#sockets.add(from);
    from.on('data', (chunk: Buffer) => pieces.push(chunk));
    from.pipe(to);
    // A server that is gone is refused to the client, too.
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroySoon();
    });
  }
}
