import {type ChildProcess, spawn} from 'node:child_process';
import {closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {connect} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {eventually, freePort} from './embedded.ts';
import {ordinary} from './ordinary.ts';
import {isUp} from './process-tree.ts';

/** Debian's HAProxy, and why tests of it are skipped where it is not installed. */
export const HAPROXY = '/usr/sbin/haproxy';
export const noHaproxy: string | null = existsSync(HAPROXY) ? null : `no ${HAPROXY}`;

/** Where a server of the backend is. `weight` is the configured one; default 100. */
export type Backend = {readonly name: string; readonly host: string; readonly port: number; readonly weight?: number};

export type HaproxyOptions = {
  /** Per region; each becomes the server `be/<name>`. */
  readonly servers: Readonly<Record<string, readonly Backend[]>>;
  readonly mode: 'tcp' | 'http';
  /** Health checks, one each 100 ms. Default: none, and every server is taken to be up. */
  readonly check?: boolean;
  /** How a server is chosen. Default roundrobin. */
  readonly balance?: string;
  /** What the runtime API may do. Default admin. */
  readonly level?: 'admin' | 'operator' | 'user';
};

/** A running HAProxy with one front end and the backend `be`. */
export type Haproxy = {
  readonly dir: string;
  readonly frontPort: number;
  readonly runtime: {readonly host: string; readonly port: number};
  /** The runtime API once more, as a UNIX socket. */
  readonly socket: string;
  /** What HAProxy reads at its start. Nobody writes it but the test or the provider under test. */
  readonly stateFile: string;
  /** `be/<name>` per region, as the fleet file has them. */
  readonly regions: Readonly<Record<string, string[]>>;
  running(): boolean;
  /** One command of the runtime API, sent here without the provider. */
  command(text: string): Promise<string>;
  /** A new process takes the ports over, and the old one ends when its sessions have. */
  reload(): Promise<void>;
  /** Ends it with SIGKILL; `start` brings it back on the same ports. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Ends every process that was started here, and removes the folder. */
  end(): Promise<void>;
};

/** Starts HAProxy as an ordinary user, in a folder of its own, on ports below the ephemeral range. It ends with the process that started it. */
export async function startHaproxy(options: HaproxyOptions): Promise<Haproxy> {
  const dir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'rc-ha-'));
  const stateFile = join(dir, 'state');
  const socket = join(dir, 'admin.sock');
  const [frontPort, runtimePort] = [await freePort(), await freePort()];
  const config = join(dir, 'haproxy.cfg');
  writeFileSync(config, configOf(options, {frontPort, runtimePort, socket, stateFile}));
  // A file that holds nothing but the version of the format is one without servers.
  writeFileSync(stateFile, '1\n');
  const started: ChildProcess[] = [];
  const command = (text: string) => runtimeCommand(runtimePort, text);

  const launch = async (...more: string[]): Promise<void> => {
    const log = openSync(join(dir, 'log'), 'a');
    const [program, args] = ordinary(HAPROXY, ['-db', '-f', config, ...more]);
    const child = spawn(program, args, {cwd: '/', stdio: ['ignore', log, log], env: {PATH: process.env.PATH ?? '', LC_ALL: 'C'}});
    closeSync(log);
    started.push(child);
    await eventually(async () => {
      if (!isUp(child)) throw new Error(`haproxy ended: ${readFileSync(join(dir, 'log'), 'utf8').slice(-2000)}`);
      const info = await command('show info').catch(() => '');
      return info.includes(`\nPid: ${child.pid}\n`);
    }, 30_000);
  };
  const kill = async (): Promise<void> => {
    for (const child of started) if (isUp(child)) child.kill('SIGKILL');
    await eventually(() => !started.some(isUp));
  };
  const haproxy: Haproxy = {
    ...{dir, frontPort, socket, stateFile, command, kill},
    runtime: {host: '127.0.0.1', port: runtimePort},
    regions: Object.fromEntries(Object.entries(options.servers).map(([region, list]) => [region, list.map(({name}) => `be/${name}`)])),
    running: () => started.some(isUp),
    start: () => launch(),
    reload: () => launch('-sf', ...started.filter(isUp).map(({pid}) => String(pid))),
    end: async () => {
      await kill();
      rmSync(dir, {recursive: true, force: true});
    },
  };
  try {
    await launch();
    return haproxy;
  } catch (error) {
    await haproxy.end();
    throw error;
  }
}

type Places = {readonly frontPort: number; readonly runtimePort: number; readonly socket: string; readonly stateFile: string};

function configOf({servers, mode, check = false, balance = 'roundrobin', level = 'admin'}: HaproxyOptions, places: Places): string {
  const server = ({name, host, port, weight = 100}: Backend) =>
    `  server ${name} ${host}:${port} weight ${weight}${check ? ' check inter 100ms fall 2 rise 2' : ''}`;
  return `global
  maxconn 500
  stats socket ipv4@127.0.0.1:${places.runtimePort} level ${level}
  stats socket ${places.socket} mode 600 level ${level}
  server-state-file ${places.stateFile}
defaults
  mode ${mode}
  load-server-state-from-file global
  timeout connect 1s
  timeout client 1h
  timeout server 1h
  retries 0
frontend front
  bind 127.0.0.1:${places.frontPort}
  default_backend be
backend be
  balance ${balance}
${Object.values(servers).flat().map(server).join('\n')}
`;
}

function runtimeCommand(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let reply = '';
    const socket = connect({host: '127.0.0.1', port, signal: AbortSignal.timeout(2000)});
    socket.setEncoding('utf8');
    socket.on('error', reject);
    socket.on('data', (part: string) => {
      reply += part;
    });
    socket.on('close', () => resolve(reply));
    socket.write(`${text}\n`);
  });
}
