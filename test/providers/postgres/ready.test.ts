import {type AddressInfo, createServer, type Server, type Socket} from 'node:net';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {systemClock} from '../../../src/lib/run/system-clock.ts';
import {sampleFleet} from '../../failover/three-regions.ts';

const TIMERS = ['setTimeout', 'clearTimeout', 'performance'] as const;
const {signal} = new AbortController();

/** The first moments of a process in which the password, like all that is loaded, takes its time. The server is one that hangs up at once. */
async function newProcess() {
  vi.resetModules();
  const password = Promise.withResolvers<string>();
  const [{createCluster}, {observe}, {createProbe}, {askUntilSure}] = await Promise.all([
    import('../../../src/lib/providers/postgres/cluster.ts'),
    import('../../../src/lib/providers/postgres/observe.ts'),
    import('../../../src/lib/providers/postgres/probe.ts'),
    import('../../../src/lib/health/ask.ts'),
  ]);
  const {port} = server.address() as AddressInfo;
  const context = {
    baseDir: '/',
    fleet: {stores: []},
    clock: systemClock(),
    secrets: {reveal: () => password.promise, scrub: (text: string) => text},
  };
  return {password, createCluster, observe, createProbe, askUntilSure, context, port};
}

let server: Server;
let calls = 0;
beforeEach(async () => {
  calls = 0;
  server = createServer((socket: Socket) => {
    calls += 1;
    socket.destroy();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  vi.useFakeTimers({toFake: [...TIMERS]});
});
afterEach(async () => {
  vi.useRealTimers();
  await new Promise((done) => server.close(done));
});

/** Lets what is loaded be loaded: that is no matter of timers. */
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((done) => setImmediate(done));
};

describe('a process that has not all that it takes to ask', () => {
  it('does not count that as the time of a member: it is asked afterwards, and says itself how it is', async () => {
    const {password, createCluster, observe, context, port} = await newProcess();
    const [spec] = sampleFleet().stores;
    if (spec === undefined) throw new Error('no store');
    const config = {address: {host: '127.0.0.1', port}, upstreams: {}, replicationPassfile: undefined};
    const members = spec.members.slice(0, 1).map((member) => ({...member, config}));
    const part = {...spec, members, config: {user: 'r', database: 'd', password: 'p', replicationUser: 'x', tls: false}};
    const seen = observe(createCluster(part as never, context as never), signal);
    await turns();
    // Longer than a member may take.
    await vi.advanceTimersByTimeAsync(2500);
    expect(calls).toBe(0);
    password.resolve('secret');
    expect(await seen).toMatchObject({'us-east': {known: false, code: 'reset'}});
    expect(calls).toBe(1);
  });

  it('does not count it as the time of an endpoint either', async () => {
    const {password, createProbe, askUntilSure, context, port} = await newProcess();
    const config = {host: '127.0.0.1', port, user: 'r', database: 'd', password: 'p', expect: 'any', expectWritable: false, tls: false};
    const probe = await createProbe(config as never, {region: 'us', endpoint: 'db', timeoutMs: 1000} as never, context as never);
    const observer = {lostSince: () => 0, jumpedSince: () => 0};
    const asked = askUntilSure(probe, 1000, {clock: systemClock(), signal, attempts: {fall: 1, pauseMs: 0}, observer});
    await turns();
    await vi.advanceTimersByTimeAsync(2500);
    password.resolve('secret');
    expect((await asked).result).toMatchObject({ok: false, code: 'reset'});
  });

  it('says that it did not ask when it gives up before, which is no verdict on anybody', async () => {
    const {createProbe, context, port} = await newProcess();
    const config = {host: '127.0.0.1', port, user: 'r', database: 'd', password: 'p', expect: 'any', expectWritable: false, tls: false};
    const probe = await createProbe(config as never, {region: 'us', endpoint: 'db', timeoutMs: 1000} as never, context as never);
    const result = probe.check(signal);
    await turns();
    await vi.advanceTimersByTimeAsync(1001);
    expect(await result).toMatchObject({ok: null, code: 'not-asked', detail: expect.stringContaining('this process did not get to it')});
    expect(calls).toBe(0);
  });
});
