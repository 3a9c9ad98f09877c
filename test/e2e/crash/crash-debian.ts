import type pg from 'pg';
import {type DebianFleet, startDebianFleet} from '../../servers/debian.ts';
import {PASSWORD} from '../../servers/embedded.ts';
import {HaproxyDoor} from '../../servers/haproxy-door.ts';
import {CrashGround, type Fault} from './crash-ground.ts';

const REGIONS = ['us-east', 'eu-west', 'ap'];

/** Debian's PostgreSQL 15 run by hand, a primary and two standbys, ANY 1 of them, behind HAProxy. A region is lost by killing its server. */
export class CrashDebian extends CrashGround {
  readonly fleet = 'by-hand';
  readonly #door = new HaproxyDoor(REGIONS);
  #servers: DebianFleet | null = null;

  async up(): Promise<void> {
    this.#servers = await startDebianFleet({members: REGIONS, quorum: 1, parts: (servers) => this.#door.open(servers)});
    this.#door.tell(Object.values(this.#servers.servers).map(({name, port}) => ({name, port, host: '127.0.0.1'})));
    const home = await this.#servers.connect('us-east', {database: 'orders'});
    try {
      await home.query('create table orders (id bigserial primary key, ref text not null)');
      await home.query('alter table orders owner to app');
    } finally {
      await home.end();
    }
  }

  async remove(): Promise<void> {
    await this.#door.end();
    await this.#servers?.end();
    this.#servers = null;
  }

  async renew(): Promise<void> {
    await this.remove();
    await this.up();
  }

  get #up(): DebianFleet {
    if (this.#servers === null) throw new Error('its servers are not up');
    return this.#servers;
  }
  get fleetFile(): string {
    return this.#up.fleetFile;
  }
  get stateDir(): string {
    return this.#up.stateDir;
  }

  fault = (_kind: Fault, region: string): Promise<void> => this.#up.kill(region);
  heal = (region: string): Promise<void> => this.#up.restart(region);
  connect = (region: string): Promise<pg.Client> =>
    this.#up.connect(region, {user: 'regionctl', password: PASSWORD, database: 'orders', connectionTimeoutMillis: 3000});

  async logIn(region: string): Promise<void> {
    await (await this.#up.connect(region, {user: 'app', database: 'orders', connectionTimeoutMillis: 3000})).end();
  }

  weights = (): Promise<unknown> => this.#door.weights();
  order = (ref: string): Promise<string> => this.#door.insert('insert into orders (ref) values ($1)', [ref]);

  names(): Readonly<Record<number, string>> {
    return Object.fromEntries(REGIONS.map((name) => [this.#up.servers[name]?.port ?? 0, name]));
  }
}
