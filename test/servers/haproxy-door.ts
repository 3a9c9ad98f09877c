import pg from 'pg';
import {type Haproxy, startHaproxy} from './haproxy.ts';

type Place = {readonly name: string; readonly host: string; readonly port: number};

/** HAProxy in front of the ports of PostgreSQL servers, one region each; all traffic goes to the first. It says which region answered. */
export class HaproxyDoor {
  readonly #regions: readonly string[];
  #haproxy: Haproxy | null = null;
  #session: Promise<pg.Client> | null = null;
  #last: Promise<void> = Promise.resolve();
  #byPort: ReadonlyMap<number, string> = new Map();

  constructor(regions: readonly string[]) {
    this.#regions = regions;
  }

  /** Starts it. Answers its part of a fleet file. */
  async open(servers: readonly Place[]): Promise<string> {
    const haproxy = await startHaproxy({servers: Object.fromEntries(servers.map((each) => [each.name, [each]])), mode: 'tcp'});
    this.#haproxy = haproxy;
    const [first, ...others] = this.#regions;
    for (const region of others) await haproxy.command(`set server be/${region} state maint`);
    const {runtime, regions, stateFile} = haproxy;
    return `routes:
  front-door:
    router: haproxy
    address: ${runtime.host}:${runtime.port}
    servers: ${JSON.stringify(regions)}
    stateFile: ${JSON.stringify(stateFile)}
    weights: {${this.#regions.map((region) => `${region}: ${region === first ? 100 : 0}`).join(', ')}}
`;
  }

  /** What the servers themselves listen on, where proxies are between them and the door. */
  tell(servers: readonly Place[]): void {
    this.#byPort = new Map(servers.map(({name, port}) => [port, name]));
  }

  /** One statement of the service through the door, over one session as long as it lasts. Answers the region that took it. */
  async insert(sql: string, values: readonly unknown[]): Promise<string> {
    this.#session ??= this.#logIn();
    const session = this.#session;
    const before = this.#last;
    let free: () => void = () => undefined;
    this.#last = new Promise((done) => {
      free = done;
    });
    try {
      // A session takes one statement at a time.
      await before;
      const client = await session;
      const {rows} = await client.query<{port: number}>(`${sql} returning current_setting('port')::int as port`, [...values]);
      return this.#byPort.get(rows[0]?.port ?? 0) ?? 'nobody';
    } catch (error) {
      if (this.#session === session) this.#session = null;
      session.then((client) => client.end()).catch(() => undefined);
      throw error;
    } finally {
      free();
    }
  }

  /** Who gets traffic: the weight in force, or `maint`. */
  async weights(): Promise<Readonly<Record<string, number | 'maint'>>> {
    const lines = ((await this.#haproxy?.command('show servers state be')) ?? '').split('\n').filter((line) => / be /.test(line));
    // The name, whether it is administratively down (1 = in maintenance), and the weight in force.
    return Object.fromEntries(
      lines.map((line) => line.split(' ')).map((fields) => [fields[3], (Number(fields[6]) & 1) === 1 ? 'maint' : Number(fields[7])]),
    );
  }

  async end(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.then((client) => client.end()).catch(() => undefined);
    await this.#haproxy?.end();
    this.#haproxy = null;
  }

  async #logIn(): Promise<pg.Client> {
    const limits = {connectionTimeoutMillis: 1000, query_timeout: 3000};
    const client = new pg.Client({host: '127.0.0.1', port: this.#haproxy?.frontPort ?? 0, database: 'orders', user: 'app', ...limits});
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }
}
