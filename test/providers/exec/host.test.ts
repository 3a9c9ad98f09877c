import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import type {Fleet} from '../../../src/lib/fleet/fleet.ts';
import type {Host} from '../../../src/lib/ports/host.ts';
import type {HostProvider, ProviderContext} from '../../../src/lib/providers/define.ts';
import {execHostProvider, type HostConfig} from '../../../src/lib/providers/exec/host-provider.ts';
import {realClock as clock} from '../../health/real-clock.ts';
import {isRunning, type Programs, programs, until} from './programs.ts';

const provider = execHostProvider as HostProvider<HostConfig>;

let box: Programs;
beforeEach(() => {
  box = programs();
});
afterEach(() => box.remove());

const live = (ms = 15_000): AbortSignal => AbortSignal.timeout(ms);
const exits = (code: number) => box.node(`exit-${code}`, `console.log('said by the host'); process.exitCode = ${code};`);
/** Writes what it was given, and what it was told, into a file. */
const tells = (...args: readonly string[]): readonly string[] =>
  box.node(
    'tells',
    `import {writeFileSync} from 'node:fs';
const {REGIONCTL_MEMBER: member, REGIONCTL_UPSTREAM: upstream} = process.env;
writeFileSync('told', JSON.stringify({args: process.argv.slice(2), member, upstream, cwd: process.cwd()}));`,
    ...args,
  );
const told = () => JSON.parse(box.file('told') ?? 'null');

type Members = Readonly<Record<string, object>>;
const MEMBERS: Members = {
  us: {
    address: {host: 'db-us.example.com', port: 5432},
    upstreams: {eu: {host: '10.0.0.2', port: 6543}},
    replicationPassfile: '/etc/regionctl/pgpass',
  },
  eu: {address: {host: 'db-eu.example.com', port: 5432}, upstreams: {}},
  ap: {address: {host: 'fe80::1', port: 5433}, upstreams: {}},
};

/** The host of `us` in a fleet that has another store, with a member of that name, first. */
async function hostWith(commands: object, members: Members = MEMBERS, scrub = (text: string) => text): Promise<Host> {
  const config = provider.schema.parse({status: exits(0), stop: exits(0), ...commands});
  const store = (name: string, user: string, own: HostConfig | null, of: Members) => ({
    name,
    config: {replicationUser: user},
    members: Object.entries(of).map(([member, part]) => ({
      name: member,
      config: part,
      host: member === 'us' && own !== null ? {kind: 'exec', config: own, path: []} : null,
    })),
  });
  const stores = [
    store('other', 'nobody', null, {us: {address: {host: 'wrong', port: 1}}}),
    store('orders', 'replicator', config, members),
  ];
  const secrets = {reveal: async () => '', scrub};
  const context: ProviderContext = {fleet: {stores} as unknown as Fleet, secrets, clock, baseDir: box.dir};
  return provider.create(config, 'us', context);
}

const failureOf = (attempt: Promise<unknown>): Promise<unknown> =>
  attempt.then(
    () => 'it was done',
    (error: unknown) => error,
  );

describe('the part of the fleet file', () => {
  const problems = (config: object) => {
    const parsed = provider.schema.safeParse({status: ['x'], stop: ['x'], ...config});
    return parsed.success ? [] : parsed.error.issues.map(({path, message}) => `${path.join('.')}: ${message}`);
  };

  it('needs status and stop only, and has deadlines of its own', () => {
    expect(provider.schema.parse({status: ['s'], stop: ['t']})).toEqual({
      status: ['s'],
      stop: ['t'],
      timeout: 60_000,
      rebuildTimeout: 24 * 3_600_000,
    });
    expect(provider.schema.safeParse({status: ['s']}).success).toBe(false);
    expect(provider.schema.safeParse({status: [], stop: ['t']}).success).toBe(false);
  });

  it('refuses a placeholder that the command does not have when the file is loaded', () => {
    expect(problems({rebuild: ['x', '{upstream.host}:{upstream.port}', '{user}', '{passfile}', '{member}', '{upstream}']})).toEqual([]);
    expect(problems({stop: ['x', 'to-{upstream}']})).toEqual([
      expect.stringMatching(/^stop\.1: \{upstream\} is no placeholder.*\{member\}/),
    ]);
    expect(problems({rewind: ['x', '{upstream.name}']})).toEqual([
      expect.stringMatching(/^rewind\.1: \{upstream\.name\} is no placeholder/),
    ]);
  });

  it('leaves other braces alone', () => {
    expect(problems({start: ['awk', '{print $1}', '{}', '{1,2}', '{A}']})).toEqual([]);
  });
});

describe('what a command is given', () => {
  it('has its placeholders replaced inside each argument, by the way that the member has to its upstream', async () => {
    const args = ['{member}', '--to={upstream}', '{upstream.host}:{upstream.port}', '{user}', '{passfile}', 'a b; $(c)'];
    const host = await hostWith({startAsStandby: tells(...args)});
    await host.startAsStandby('eu', live());
    expect(told().args).toEqual(['us', '--to=eu', '10.0.0.2:6543', 'replicator', '/etc/regionctl/pgpass', 'a b; $(c)']);
    expect(told()).toMatchObject({member: 'us', upstream: 'eu', cwd: box.dir});
    await host.startAsStandby('ap', live());
    expect(told().args.slice(1, 3)).toEqual(['--to=ap', 'fe80::1:5433']);
  });

  it('is told of nobody by empty values', async () => {
    const host = await hostWith({startAsStandby: tells('{upstream}', 'h={upstream.host}', '{upstream.port}', '{member}')});
    await host.startAsStandby(null, live());
    expect(told()).toMatchObject({args: ['', 'h=', '', 'us'], upstream: ''});
  });

  it('keeps nothing of an outer run in its environment', async () => {
    process.env.REGIONCTL_UPSTREAM = 'left-over';
    try {
      await (await hostWith({start: tells()})).start(live());
    } finally {
      delete process.env.REGIONCTL_UPSTREAM;
    }
    expect(told()).toMatchObject({args: [], member: 'us', upstream: ''});
  });

  it.each(['mars', 'us', '', '__proto__'])('does not run at all for the upstream %j', async (upstream) => {
    const host = await hostWith({startAsStandby: tells(), rebuild: tells(), rewind: tells()});
    for (const attempt of [host.startAsStandby(upstream, live()), host.rebuild(upstream, live()), host.rewind?.(upstream, live())])
      expect(await failureOf(attempt as Promise<unknown>)).toMatchObject({code: 'unknown-upstream', exit: 77});
    expect(told()).toBeNull();
  });

  it.each([
    ['$(id).example.com', '{upstream.host}'],
    ['-oProxyCommand=id', '{upstream.host}'],
    ['a b', '{upstream.host}'],
  ])('does not hand %j to what may be a shell', async (name, argument) => {
    const host = await hostWith({rebuild: tells(argument)}, {...MEMBERS, ap: {address: {host: name, port: 1}}});
    expect(await failureOf(host.rebuild('ap', live()))).toMatchObject({
      code: 'host-value',
      exit: 77,
      message: expect.stringContaining(argument),
    });
    expect(told()).toBeNull();
  });

  it('refuses a value that the fleet file does not give', async () => {
    const host = await hostWith({start: tells('{passfile}')}, {us: {address: {host: 'h', port: 1}}});
    expect(await failureOf(host.start(live()))).toMatchObject({code: 'host-value', message: expect.stringContaining('{passfile}')});
  });
});

describe('what its end means', () => {
  it.each<[number, boolean | null]>([
    [0, true],
    [3, false],
    [4, null],
    [1, null],
    [255, null],
  ])('status with exit code %i', async (code, running) => {
    const status = await (await hostWith({status: exits(code)})).status(live());
    expect(status.running).toBe(running);
    expect(status.detail).toMatch(running === null ? new RegExp(`exit code ${code}.*said by the host`) : /^it (runs|is stopped)$/);
  });

  it('a status that cannot be asked, or takes too long, is not known', async () => {
    expect((await (await hostWith({status: ['no-such-program-here']})).status(live())).running).toBeNull();
    const slow = await hostWith({status: box.node('slow', 'setTimeout(() => {}, 60_000)'), timeout: '200ms'});
    expect(await slow.status(live())).toMatchObject({running: null, detail: expect.stringMatching(/had not ended after 200 ms/)});
  });

  it('anything but 0 is a failure, told with its last line and without its arguments', async () => {
    const host = await hostWith({stop: [...exits(1), 'private'], start: exits(1)}, MEMBERS, (text) => text.replaceAll('the host', '***'));
    const error = await failureOf(host.stop(live()));
    expect(error).toMatchObject({code: 'host-failed', exit: 69});
    expect((error as Error).message).toBe(
      `*** of us could not stop its server: ${process.execPath} ended with exit code 1; its last line: said by ***`,
    );
    expect(await failureOf(host.start(live()))).toMatchObject({code: 'host-failed'});
  });

  it('a command that the fleet file does not have is refused by its name', async () => {
    const host = await hostWith({});
    for (const [name, attempt] of [
      ['start', host.start(live())],
      ['startAsStandby', host.startAsStandby('eu', live())],
      ['rebuild', host.rebuild('eu', live())],
    ] as const)
      expect(await failureOf(attempt)).toMatchObject({
        code: 'host-cannot',
        exit: 77,
        message: expect.stringMatching(new RegExp(`no ${name}$`)),
      });
    expect(host.rewind).toBeUndefined();
  });

  it('exit code 4 of a rewind says that the data does not allow it; any other is a failure', async () => {
    expect(await failureOf((await hostWith({rewind: exits(4)})).rewind?.('eu', live()) as Promise<unknown>)).toMatchObject({
      ...{code: 'cannot-rewind', exit: 77},
      message: 'us cannot be rewound: said by the host',
    });
    expect(await failureOf((await hostWith({rewind: exits(1)})).rewind?.('eu', live()) as Promise<unknown>)).toMatchObject({
      code: 'host-failed',
    });
    expect(await failureOf((await hostWith({rebuild: exits(4)})).rebuild('eu', live()))).toMatchObject({code: 'host-failed'});
  });

  it('reads how much was copied, wherever it stands', async () => {
    const says = (name: string, text: string) => box.node(name, `console.log(${JSON.stringify(text)})`);
    const host = await hostWith({
      rebuild: says('one', 'waiting for checkpoint\nbytes=123456789012\r\ndone'),
      rewind: says('two', 'bytes=7'),
    });
    expect(await host.rebuild('eu', live())).toEqual({bytes: 123_456_789_012});
    expect(await host.rewind?.('eu', live())).toEqual({bytes: 7});
    const silent = await hostWith({rebuild: says('three', 'kbytes=1\nbytes=x')});
    expect(await silent.rebuild('eu', live())).toEqual({bytes: 0});
  });
});

describe('what takes too long', () => {
  const parent = () =>
    box.node(
      'parent',
      `import {spawn} from 'node:child_process';
import {writeFileSync} from 'node:fs';
const child = spawn(process.execPath, ['-e', "process.on('SIGTERM', () => {}); console.log('up'); setTimeout(() => {}, 60_000)"], {stdio: ['ignore', 'pipe', 'ignore']});
child.stdout.once('data', () => writeFileSync('child', String(child.pid)));
setTimeout(() => {}, 60_000);`,
    );

  it('is killed with everything that it started, at its own deadline', async () => {
    const host = await hostWith({stop: parent(), timeout: '3s'});
    const ended = failureOf(host.stop(live()));
    const pid = await box.pid('child');
    expect(isRunning(pid)).toBe(true);
    expect(await ended).toMatchObject({code: 'host-timeout', exit: 69, message: expect.stringMatching(/had not ended after 3000 ms/)});
    await until(() => !isRunning(pid));
  });

  it('has the longer deadline for rebuild, and ends with the signal of the caller', async () => {
    const host = await hostWith({rebuild: parent(), timeout: '50ms', rebuildTimeout: '1h'});
    const gone = new AbortController();
    const ended = failureOf(host.rebuild('eu', gone.signal));
    const pid = await box.pid('child');
    gone.abort(new Error('the run was stopped'));
    expect(await ended).toMatchObject({message: 'the run was stopped'});
    await until(() => !isRunning(pid));
  });

  it('is not begun for who has cancelled', async () => {
    const host = await hostWith({stop: tells(), status: tells()});
    const cancelled = AbortSignal.abort(new Error('cancelled'));
    for (const attempt of [host.stop(cancelled), host.status(cancelled)])
      expect(await failureOf(attempt)).toMatchObject({message: 'cancelled'});
    expect(told()).toBeNull();
  });
});
