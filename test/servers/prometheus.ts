import {type ChildProcess, execFileSync, spawn} from 'node:child_process';
import {chmodSync, closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {eventually, freePort} from './embedded.ts';
import {ordinary} from './ordinary.ts';
import {freezeAll, isUp, pidsOf, signalAll} from './process-tree.ts';

/** Debian's prometheus, and why tests of it are skipped where it is not installed. */
const PROMETHEUS = '/usr/bin/prometheus';
export const noPrometheus: string | null = existsSync(PROMETHEUS) ? null : PROMETHEUS;

/** Who may ask a server that was started with `login`. */
export const LOGIN = {user: 'ops', password: 'test'} as const;
/** The bcrypt of the password, from Prometheus' own documentation of basic authentication. */
const HASH = '$2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay';

/** A series that is there before the server starts. `at` in epoch ms. */
export type Seed = {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly {readonly at: number; readonly value: number}[];
};

/** A running Prometheus that scrapes nothing. */
export type Prometheus = {
  readonly url: string;
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** Ends it and removes its folder. */
  end(): Promise<void>;
};

/** Starts a Prometheus on 127.0.0.1 as an ordinary user, with these series. It ends with the process that started it. */
export async function startPrometheus(seeds: readonly Seed[], {login = false}: {readonly login?: boolean} = {}): Promise<Prometheus> {
  const dir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'rc-prometheus-'));
  const port = await freePort();
  plant(dir, seeds);
  writeFileSync(join(dir, 'prometheus.yml'), 'scrape_configs: []\n');
  writeFileSync(join(dir, 'web.yml'), login ? `basic_auth_users:\n  ${LOGIN.user}: ${HASH}\n` : '');
  const log = openSync(join(dir, 'log'), 'a');
  const [program, args] = ordinary(PROMETHEUS, [
    ...[`--config.file=${join(dir, 'prometheus.yml')}`, `--web.config.file=${join(dir, 'web.yml')}`],
    ...[`--web.listen-address=127.0.0.1:${port}`, `--storage.tsdb.path=${join(dir, 'data')}`, '--storage.tsdb.retention.time=10y'],
  ]);
  const child: ChildProcess = spawn(program, args, {
    cwd: '/',
    stdio: ['ignore', log, log],
    env: {PATH: process.env.PATH ?? '', GOMAXPROCS: '1'},
  });
  closeSync(log);
  const running = (): boolean => isUp(child);
  const prometheus: Prometheus = {
    url: `http://127.0.0.1:${port}`,
    kill: async () => {
      if (running()) child.kill('SIGKILL');
      await eventually(() => !running());
    },
    freeze: () => freezeAll(() => pidsOf(child)),
    thaw: () => signalAll(pidsOf(child), 'SIGCONT'),
    end: async () => {
      await prometheus.kill();
      rmSync(dir, {recursive: true, force: true});
    },
  };
  try {
    const headers = login ? {authorization: `Basic ${btoa(`${LOGIN.user}:${LOGIN.password}`)}`} : undefined;
    await eventually(async () => {
      if (!running()) throw new Error(`Prometheus ended: ${readFileSync(join(dir, 'log'), 'utf8').slice(-2000)}`);
      return (await fetch(`${prometheus.url}/-/ready`, headers === undefined ? {} : {headers}).catch(() => null))?.ok === true;
    }, 30_000);
    return prometheus;
  } catch (error) {
    await prometheus.end();
    throw error;
  }
}

/** Blocks of ninety days: those of two hours that promtool makes by itself take it forty seconds. */
function plant(dir: string, seeds: readonly Seed[]): void {
  const families = [...new Set(seeds.map(({name}) => name))].flatMap((name) => {
    const members = seeds.filter((seed) => seed.name === name);
    return [`# TYPE ${name} ${members[0]?.type}`, ...members.flatMap(linesOf)];
  });
  const file = join(dir, 'seed.om');
  writeFileSync(file, `${[...families, '# EOF'].join('\n')}\n`);
  const options = ['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', '--max-block-duration=2160h'];
  execFileSync('/usr/bin/promtool', [...options, file, join(dir, 'data')], {stdio: 'pipe'});
  chmodSync(dir, 0o700);
}

function linesOf({name, type, labels, samples}: Seed): string[] {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return samples.map(({at, value}) => `${name}${type === 'counter' ? '_total' : ''}{${pairs.join(',')}} ${value} ${at / 1000}`);
}
