import {type ChildProcess, execFile, spawn} from 'node:child_process';
import {closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {eventually, freePort} from './embedded.ts';
import {ordinary} from './ordinary.ts';
import {freezeAll, isUp, pidsOf, signalAll} from './process-tree.ts';

/** Debian's Redis, and why tests of it are skipped where it is not installed. */
export const REDIS = '/usr/bin/redis-server';
const CLI = '/usr/bin/redis-cli';
export const noRedis: string | null = [REDIS, CLI].find((program) => !existsSync(program)) ?? null;

export type RedisOptions = {
  /** What the default user needs, and what a standby shows to its primary. Default: none. */
  readonly password?: string;
  /** Whose standby it is. Default: nobody's. */
  readonly upstream?: RedisServer;
  /** A second port that speaks TLS with this certificate. Default: none. */
  readonly tls?: {readonly cert: string; readonly key: string; readonly ca: string};
  /** It watches other servers and keeps no data. Whom it watches stands in `settings`. Default false. */
  readonly sentinel?: boolean;
  /** Further lines of redis.conf, over those of the tests: nothing is saved, and a standby is copied to at once. */
  readonly settings?: Readonly<Record<string, string>>;
};

/** A running Redis, or one that was killed: `start` brings it back on its ports and on the data that it has. */
export type RedisServer = {
  readonly port: number;
  /** null = it was started without. */
  readonly tlsPort: number | null;
  readonly dir: string;
  /** One command by redis-cli, which knows nothing of ours. Answers what it prints; throws for an error of the server. */
  cli(...command: readonly string[]): Promise<string>;
  start(): Promise<void>;
  /** SIGKILL. Resolves when it is gone. */
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  running(): boolean;
  /** Ends it and removes its folder. */
  end(): Promise<void>;
};

/**
 * Starts Redis on 127.0.0.1 as an ordinary user, in a folder of its own, on ports below the ephemeral range. It ends with the process that started
 * it. A standby is there once its link is up.
 */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const dir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'rc-redis-'));
  const port = await freePort();
  const tlsPort = options.tls === undefined ? null : await freePort();
  writeFileSync(join(dir, 'redis.conf'), configOf(options, {dir, port, tlsPort}), {mode: 0o600});
  let child: ChildProcess | null = null;
  const running = (): boolean => isUp(child);
  const cli = (...command: readonly string[]) => ask(port, options.password, command);
  const server: RedisServer = {
    ...{port, tlsPort, dir, running, cli},
    start: async () => {
      child = launch(dir, options.sentinel === true ? ['--sentinel'] : []);
      await eventually(async () => {
        if (!running()) throw new Error(`redis ended: ${readFileSync(join(dir, 'log'), 'utf8').slice(-2000)}`);
        return (await cli('ping').catch(() => '')) === 'PONG';
      }, 30_000);
    },
    kill: async () => {
      if (running()) child?.kill('SIGKILL');
      await eventually(() => !running());
    },
    freeze: () => freezeAll(() => pidsOf(child)),
    thaw: () => signalAll(pidsOf(child), 'SIGCONT'),
    end: async () => {
      await server.kill();
      rmSync(dir, {recursive: true, force: true});
    },
  };
  try {
    await server.start();
    if (options.upstream !== undefined) await eventually(async () => (await cli('info', 'replication')).includes('master_link_status:up'));
    return server;
  } catch (error) {
    await server.end();
    throw error;
  }
}

type Places = {readonly dir: string; readonly port: number; readonly tlsPort: number | null};

function configOf({password, upstream, tls, sentinel = false, settings}: RedisOptions, {dir, port, tlsPort}: Places): string {
  const lines: Readonly<Record<string, string>> = {
    bind: '127.0.0.1',
    port: String(port),
    dir,
    ...(sentinel ? {} : {save: '""', 'repl-diskless-sync-delay': '0'}),
    ...(password === undefined ? {} : {requirepass: password, masterauth: password}),
    ...(upstream === undefined ? {} : {replicaof: `127.0.0.1 ${upstream.port}`}),
    ...(tls === undefined
      ? {}
      : {'tls-port': String(tlsPort), 'tls-cert-file': tls.cert, 'tls-key-file': tls.key, 'tls-ca-cert-file': tls.ca}),
    ...settings,
  };
  return Object.entries(lines)
    .map(([key, value]) => `${key} ${value}\n`)
    .join('');
}

function launch(dir: string, more: readonly string[]): ChildProcess {
  const log = openSync(join(dir, 'log'), 'a');
  const [program, args] = ordinary(REDIS, [join(dir, 'redis.conf'), ...more]);
  const child = spawn(program, args, {cwd: '/', stdio: ['ignore', log, log], env: {PATH: process.env.PATH ?? '', LC_ALL: 'C'}});
  closeSync(log);
  return child;
}

/** The password goes by the environment: arguments are seen by everybody. */
async function ask(port: number, password: string | undefined, command: readonly string[]): Promise<string> {
  const env = {PATH: process.env.PATH ?? '', ...(password === undefined ? {} : {REDISCLI_AUTH: password})};
  const {stdout} = await promisify(execFile)(CLI, ['-h', '127.0.0.1', '-p', String(port), '-e', ...command], {env, timeout: 5000});
  return stdout.trim();
}
