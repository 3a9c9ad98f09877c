import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import pg from 'pg';
import {askLab} from '../../../src/lab/control-client.ts';
import {type LabRecord, readRecord} from '../../../src/lab/record.ts';
import {CrashGround, type Fault} from './crash-ground.ts';

const GIVE_UP_MS = 2000;

/** A lab of its own. */
export class CrashLab extends CrashGround {
  readonly parent = mkdtempSync(join(tmpdir(), 'regionctl-crash-'));
  readonly dir = join(this.parent, 'lab');
  readonly fleetFile = join(this.dir, 'regionctl.yaml');
  readonly stateDir = join(this.dir, 'state');
  readonly fleet = 'lab';

  async up(): Promise<void> {
    await this.expectGood('lab', 'up', '--dir', this.dir);
  }

  async remove(): Promise<void> {
    await this.cli('lab', 'down', '--dir', this.dir);
    rmSync(this.parent, {recursive: true, force: true});
  }

  async renew(): Promise<void> {
    await this.cli('lab', 'down', '--dir', this.dir);
    await this.up();
  }

  /** A fleet file of the same fleet for an operator with a data directory of their own. */
  otherFleet(): string {
    const file = join(this.dir, 'other.yaml');
    const own = readFileSync(this.fleetFile, 'utf8');
    const text = own.replace(/^state:.*$/m, 'state: {dir: other-state}');
    if (text === own) throw new Error('the fleet file of the lab names no state');
    writeFileSync(file, text);
    return file;
  }

  fault = (kind: Fault, region: string) => this.expectGood('lab', 'fault', kind, region, '--dir', this.dir);
  heal = (region: string) => this.expectGood('lab', 'heal', region, '--dir', this.dir);

  get record(): LabRecord {
    const record = readRecord(this.dir);
    if (record === null) throw new Error('no lab');
    return record;
  }

  weights = async (): Promise<unknown> => (await askLab(this.record, {method: 'GET', path: '/routes/front-door'})) as unknown;

  async order(ref: string): Promise<string | null> {
    const body = JSON.stringify({ref, item: 'tea', quantity: 1});
    const headers = {'content-type': 'application/json', connection: 'close'};
    const url = `http://127.0.0.1:${this.record.frontDoor}/orders`;
    const answer = await fetch(url, {method: 'POST', headers, body, signal: AbortSignal.timeout(GIVE_UP_MS)});
    await answer.text();
    if (answer.status !== 201) throw new Error(`HTTP ${answer.status}`);
    return answer.headers.get('x-region');
  }

  names(region: string): Readonly<Record<number, string>> {
    const {links = {}} = this.record.regions.find(({name}) => name === region) ?? {};
    return Object.fromEntries(Object.entries(links).map(([to, port]) => [port, to]));
  }

  connect = (region: string): Promise<pg.Client> => this.#open(region, 'regionctl');

  async logIn(region: string): Promise<void> {
    await (await this.#open(region, 'app')).end();
  }

  async #open(region: string, user: string): Promise<pg.Client> {
    const port = this.record.regions.find(({name}) => name === region)?.direct.postgres;
    const password = readFileSync(join(this.dir, 'secrets', user), 'utf8').trim();
    const limits = {connectionTimeoutMillis: 3000, query_timeout: 5000};
    const client = new pg.Client({host: '127.0.0.1', port, user, password, database: 'orders', ...limits});
    client.on('error', () => undefined);
    try {
      await client.connect();
    } catch (error) {
      client.end().catch(() => undefined);
      throw error;
    }
    return client;
  }
}
