import {execFileSync, spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

export const ROOT = join(import.meta.dirname, '..');
export const REGIONCTL = join(ROOT, 'bin/regionctl');

export type LabRegion = {region: string; role: string | null; pids: number[]; direct: {postgres: string}};
export type LabStatus = {regions: LabRegion[]; frontDoor: string; fleetFile: string};

/** A lab for benches, by the built command line alone. */
export class BenchLab {
  readonly #folder = mkdtempSync(join(tmpdir(), 'regionctl-bench-'));
  readonly dir = join(this.#folder, 'lab');
  readonly env = {...process.env, REGIONCTL_FLEET: join(this.dir, 'regionctl.yaml')};

  up(...args: string[]): number {
    const started = performance.now();
    this.run('lab', 'up', '--dir', this.dir, ...args);
    return performance.now() - started;
  }

  run(...args: string[]): string {
    return execFileSync(REGIONCTL, args, {env: this.env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']});
  }

  status(): LabStatus {
    return JSON.parse(this.run('lab', 'status', '--json')) as LabStatus;
  }

  /** One statement on a member's own port, past every proxy. */
  async sql(region: LabRegion, text: string): Promise<Record<string, unknown>[]> {
    const {default: pg} = await import('pg');
    const [host, port] = region.direct.postgres.split(':');
    const password = readFileSync(join(this.dir, 'secrets/regionctl'), 'utf8').trim();
    const client = new pg.Client({host: host ?? '', port: Number(port), user: 'regionctl', database: 'orders', password});
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  }

  down(): void {
    spawnSync(REGIONCTL, ['lab', 'down', '--dir', this.dir], {stdio: 'ignore'});
    rmSync(this.#folder, {recursive: true, force: true});
  }
}
