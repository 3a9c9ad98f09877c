import {type ChildProcess, spawn} from 'node:child_process';
import {closeSync, cpSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {eventually, freePort, PASSWORD} from './embedded.ts';
import {freezeAll, isAlive, isUp, pidsOf, signalAll} from './process-tree.ts';

/** Debian's programs. Its wrapper in /usr/sbin changes the user; this one does not. */
const SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server';
const CTL = '/usr/lib/rabbitmq/bin/rabbitmqctl';
const EPMD = '/usr/bin/epmd';

const CERTIFICATES = join(import.meta.dirname, '../providers/tls/certificates');

/** Why tests of RabbitMQ are skipped where it is not installed; null = it is. */
const missing = [SERVER, EPMD].find((file) => !existsSync(file));
export const noRabbitmq: string | null = missing === undefined ? null : `no ${missing}`;

/** Who may look at everything and change nothing: what regionctl is given. */
export const MONITOR = {user: 'regionctl', password: PASSWORD} as const;
/** Who publishes, consumes, and carries messages. */
export const APP = {user: 'app', password: 'only-for-tests-too'} as const;
/** No output may hold one of them. */
export const PASSWORDS = [MONITOR.password, APP.password];

const PLUGINS = ['management', 'shovel', 'shovel_management', 'federation', 'federation_management'];

/** One broker: a cluster of its own. */
export type Broker = {
  readonly name: string;
  readonly port: number;
  readonly apiPort: number;
  /** Its management API. */
  readonly url: string;
  /** The same two once more, with TLS and a certificate that `CA_FILE` vouches for. */
  readonly tlsPort: number;
  readonly tlsUrl: string;
  readonly dir: string;
  /** One request as the administrator. Throws for what is not answered with 2xx; an answer without a body is null. */
  api<T>(method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T>;
  /** What only its operator can do, on the machine itself. */
  ctl(...args: readonly string[]): Promise<void>;
  /** Starts it on the data that it has, and waits until its management API answers. */
  start(): Promise<void>;
  /** SIGKILL, as when a machine is lost. */
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  running(): boolean;
};

/** Brokers of one test file. `end` stops everything by pid and removes the folder. */
export type Brokers = {readonly dir: string; readonly all: readonly Broker[]; broker(name: string): Broker; end(): Promise<void>};

/** Starts brokers on loopback and ports below the ephemeral range, as an ordinary user, with a port mapper of their own. All end with this process. */
export async function startBrokers(names: readonly string[]): Promise<Brokers> {
  const dir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'rc-mq-'));
  const epmdPort = await freePort();
  const epmd = launch(join(dir, 'epmd.log'), [EPMD, '-address', '127.0.0.1', '-port', String(epmdPort)], {});
  const all: Broker[] = [];
  for (const name of names) all.push(await createBroker(join(dir, name), name, epmdPort));
  const brokers: Brokers = {
    dir,
    all,
    broker: (name) => {
      const found = all.find((broker) => broker.name === name);
      if (found === undefined) throw new Error(`no broker ${name}`);
      return found;
    },
    end: async () => {
      for (const broker of all) await broker.kill();
      epmd.kill('SIGKILL');
      await eventually(() => !isUp(epmd));
      rmSync(dir, {recursive: true, force: true});
    },
  };
  try {
    await Promise.all(all.map((broker) => broker.start()));
    for (const broker of all) await prepare(broker);
    return brokers;
  } catch (error) {
    await brokers.end();
    throw error;
  }
}

async function createBroker(dir: string, name: string, epmdPort: number): Promise<Broker> {
  mkdirSync(join(dir, 'home'), {recursive: true});
  const [port, apiPort, tlsPort, apiTlsPort, distPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  // Nobody shares it: each broker is a cluster of its own.
  writeFileSync(join(dir, 'home/.erlang.cookie'), `cookie-of-${name}`, {mode: 0o400});
  writeFileSync(join(dir, 'plugins'), `[${PLUGINS.map((plugin) => `rabbitmq_${plugin}`).join(',')}].\n`);
  for (const file of ['good.pem', 'server.key']) cpSync(join(CERTIFICATES, file), join(dir, file));
  writeFileSync(join(dir, 'rabbit.conf'), configOf(dir, {name, port, apiPort, tlsPort, apiTlsPort}));
  const url = `http://127.0.0.1:${apiPort}`;
  let child: ChildProcess | null = null;
  const pids = (): readonly number[] => pidsOf(child);
  const running = (): boolean => isUp(child);
  return {
    ...{name, port, apiPort, url, tlsPort, dir, running},
    tlsUrl: `https://127.0.0.1:${apiTlsPort}`,
    api: (method, path, body) => request(url, method, path, body),
    ctl: async (...args) => {
      const ctlPort = await freePort();
      const log = join(dir, 'ctl.log');
      const call = launch(log, [CTL, ...args], {...environment(dir, {name, distPort, epmdPort}), ...ctlEnvironment(ctlPort)});
      await eventually(() => !isUp(call), 30_000);
      if (call.exitCode !== 0) throw new Error(`rabbitmqctl ${args.join(' ')}: ${readFileSync(log, 'utf8').slice(-2000)}`);
    },
    start: async () => {
      if (running()) return;
      child = launch(join(dir, 'log'), [SERVER], environment(dir, {name, distPort, epmdPort}));
      await eventually(async () => {
        if (!running()) throw new Error(`the broker ${name} ended: ${readFileSync(join(dir, 'log'), 'utf8').slice(-2000)}`);
        return request(url, 'GET', 'health/checks/virtual-hosts').then(
          () => true,
          () => false,
        );
      }, 60_000);
    },
    kill: async () => {
      const own = pids();
      signalAll(own, 'SIGKILL');
      await eventually(() => !running() && !own.some(isAlive));
    },
    freeze: () => freezeAll(pids),
    thaw: () => signalAll(pids(), 'SIGCONT'),
  };
}

type Ports = {
  readonly name: string;
  readonly port: number;
  readonly apiPort: number;
  readonly tlsPort: number;
  readonly apiTlsPort: number;
};

/** Statistics each half second instead of each five, so that tests need not wait for them; what is too slow for a test is not changed otherwise. */
function configOf(dir: string, {name, port, apiPort, tlsPort, apiTlsPort}: Ports): string {
  return `listeners.tcp.1 = 127.0.0.1:${port}
listeners.ssl.1 = 127.0.0.1:${tlsPort}
ssl_options.certfile = ${join(dir, 'good.pem')}
ssl_options.keyfile = ${join(dir, 'server.key')}
ssl_options.verify = verify_none
management.tcp.ip = 127.0.0.1
management.tcp.port = ${apiPort}
management.ssl.ip = 127.0.0.1
management.ssl.port = ${apiTlsPort}
management.ssl.certfile = ${join(dir, 'good.pem')}
management.ssl.keyfile = ${join(dir, 'server.key')}
cluster_name = ${name}
collect_statistics_interval = 500
log.file.level = warning
`;
}

type Names = {readonly name: string; readonly distPort: number; readonly epmdPort: number};

function environment(dir: string, {name, distPort, epmdPort}: Names): NodeJS.ProcessEnv {
  return {
    HOME: join(dir, 'home'),
    // The script then becomes the server instead of watching over it: one process that whoever started it can end.
    detached: 'true',
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_EPMD_PORT: String(epmdPort),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_CONFIG_FILE: join(dir, 'rabbit.conf'),
    RABBITMQ_DIST_PORT: String(distPort),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, 'plugins'),
    RABBITMQ_LOG_BASE: join(dir, 'logs'),
    RABBITMQ_MNESIA_BASE: join(dir, 'data'),
    RABBITMQ_NODENAME: `${name}@localhost`,
    // One scheduler that sleeps when there is nothing to do; nodes listen on loopback only, and start no port mapper that would outlive them.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 1:1 +sbwt none +A 4 -noinput -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}',
  };
}

const ctlEnvironment = (port: number): NodeJS.ProcessEnv => ({
  RABBITMQ_CTL_DIST_PORT_MIN: String(port),
  RABBITMQ_CTL_DIST_PORT_MAX: String(port),
  RABBITMQ_CTL_ERL_ARGS: '+S 1:1 +sbwt none -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}',
});

async function prepare(broker: Broker): Promise<void> {
  await broker.api('PUT', `users/${MONITOR.user}`, {password: MONITOR.password, tags: 'monitoring'});
  await broker.api('PUT', `users/${APP.user}`, {password: APP.password, tags: ''});
  await broker.api('PUT', `permissions/%2f/${MONITOR.user}`, {configure: '^$', write: '^$', read: '^$'});
  await broker.api('PUT', `permissions/%2f/${APP.user}`, {configure: '.*', write: '.*', read: '.*'});
}

/** guest is the administrator, and let in from loopback only. */
async function request<T>(url: string, method: string, path: string, body?: unknown): Promise<T> {
  const headers = {authorization: `Basic ${Buffer.from('guest:guest').toString('base64')}`, 'content-type': 'application/json'};
  const answer = await fetch(`${url}/api/${path}`, {
    method,
    headers,
    signal: AbortSignal.timeout(5000),
    ...(body === undefined ? {} : {body: JSON.stringify(body)}),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return (text === '' ? null : JSON.parse(text)) as T;
}

/** Not as root, and never longer than the process that starts it. */
function launch(logFile: string, command: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  const log = openSync(logFile, 'a');
  const bound = ['setpriv', '--pdeathsig', 'KILL', ...command];
  const [program = '', ...args] = process.getuid?.() === 0 ? ['unshare', '--user', '--map-user=1000', '--map-group=1000', ...bound] : bound;
  const child = spawn(program, args, {
    cwd: '/',
    stdio: ['ignore', log, log],
    env: {PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC', ...env},
  });
  closeSync(log);
  child.on('error', (error) => writeFileSync(logFile, String(error)));
  return child;
}
