import {type ChildProcess, spawn} from 'node:child_process';
import {closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {eventually, freePort} from './embedded.ts';
import {ordinary} from './ordinary.ts';
import {freezeAll, isUp, pidsOf, signalAll} from './process-tree.ts';

/** Debian's blackbox_exporter, and why tests of it are skipped where it is not installed. */
const BLACKBOX = '/usr/bin/prometheus-blackbox-exporter';
export const noBlackbox: string | null = existsSync(BLACKBOX) ? null : BLACKBOX;

/** A running exporter. `start` brings one that was killed back on its port. */
export type Blackbox = {
  readonly url: string;
  readonly port: number;
  readonly pid: () => number;
  start(): Promise<void>;
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** Ends it and removes its folder. */
  end(): Promise<void>;
};

/** `proxy`: its http modules go through an HTTP proxy: another way than ours. */
const configOf = (proxy: string | null): string => `modules:
  http_2xx: {prober: http, timeout: 5s${proxy === null ? '' : `, http: {proxy_url: "${proxy}"}`}}
  http_ok: {prober: http, timeout: 5s, http: {fail_if_body_not_matches_regexp: [all is well]}}
  tcp_connect: {prober: tcp, timeout: 5s}
  tls_connect: {prober: tcp, timeout: 5s, tcp: {tls: true, tls_config: {insecure_skip_verify: true}}}
`;

/** Starts a blackbox_exporter on 127.0.0.1 as an ordinary user. It ends with the process that started it. */
export async function startBlackbox({proxy = null}: {readonly proxy?: string | null} = {}): Promise<Blackbox> {
  const dir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'rc-blackbox-'));
  const port = await freePort();
  writeFileSync(join(dir, 'blackbox.yml'), configOf(proxy));
  let child: ChildProcess | null = null;
  const running = (): boolean => isUp(child);
  const blackbox: Blackbox = {
    ...{port, url: `http://127.0.0.1:${port}`},
    pid: () => child?.pid ?? 0,
    start: async () => {
      const log = openSync(join(dir, 'log'), 'a');
      const [program, args] = ordinary(BLACKBOX, [`--config.file=${join(dir, 'blackbox.yml')}`, `--web.listen-address=127.0.0.1:${port}`]);
      child = spawn(program, args, {cwd: '/', stdio: ['ignore', log, log], env: {PATH: process.env.PATH ?? '', GOMAXPROCS: '1'}});
      closeSync(log);
      await eventually(async () => {
        if (!running()) throw new Error(`the exporter ended: ${readFileSync(join(dir, 'log'), 'utf8').slice(-2000)}`);
        return (await fetch(`http://127.0.0.1:${port}/-/healthy`).catch(() => null))?.ok === true;
      }, 30_000);
    },
    kill: async () => {
      if (running()) child?.kill('SIGKILL');
      await eventually(() => !running());
    },
    freeze: () => freezeAll(() => pidsOf(child)),
    thaw: () => signalAll(pidsOf(child), 'SIGCONT'),
    end: async () => {
      await blackbox.kill();
      rmSync(dir, {recursive: true, force: true});
    },
  };
  try {
    await blackbox.start();
    return blackbox;
  } catch (error) {
    await blackbox.end();
    throw error;
  }
}
