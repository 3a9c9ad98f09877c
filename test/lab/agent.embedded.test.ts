import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {labFault} from '../../src/lib/providers/lab/lab-fault.ts';
import {labHost} from '../../src/lib/providers/lab/lab-host.ts';
import {labRouter} from '../../src/lib/providers/lab/lab-router.ts';
import {eventually, LabUnderTest} from './lab-under-test.ts';

/** The providers against a lab: what the failover engine does to it. */
describe('the providers of the lab', () => {
  const lab = new LabUnderTest();
  beforeAll(() => lab.up().then(() => undefined));
  afterAll(() => lab.remove());

  const signal = new AbortController().signal;
  const ctx = {runId: 'r', token: 't', signal, now: () => performance.now(), deadline: Number.POSITIVE_INFINITY};
  const clock = {wall: () => Date.now(), now: () => performance.now(), sleep: async () => undefined};
  const token = {source: 'file', name: 'control', toString: () => '', toJSON: () => ''} as const;
  const peer = (port: number | null | undefined, name = 'control') => ({
    ...{url: `http://127.0.0.1:${port}`, token, unreachable: 'host-unreachable', who: 'the lab'},
    secrets: {reveal: async () => lab.secret(name), scrub: (text: string) => text},
  });
  const hostOf = (member: string) => labHost(peer(lab.record.regions.find(({name}) => name === member)?.ingress.agent), member);
  const rows = async (region: string) => Number((await lab.sql<{n: string}>(region, 'select count(*) as n from orders'))[0]?.n);
  const receiver = (region: string) =>
    lab.sql<{status: string; port: number}>(region, 'select status, sender_port as port from pg_stat_wal_receiver');
  const follows = (region: string, upstream: string) =>
    eventually(async () => (await receiver(region))[0]?.port === lab.record.regions.find(({name}) => name === region)?.links[upstream]);

  it('stops a member cleanly, twice, and starts it as its data says', async () => {
    const host = hostOf('ap');
    expect(await host.status(signal)).toEqual({running: true, detail: 'the server runs as standby'});
    await host.stop(signal);
    await host.stop(signal);
    expect(await host.status(signal)).toEqual({running: false, detail: 'the server is stopped'});
    await lab.heal('ap');
    expect((await host.status(signal)).running).toBe(false); // Stopped on request: heal leaves it.
    await host.start(signal);
    await host.start(signal);
    await follows('ap', 'us-east');
  });

  it('refuses the member of another region, a wrong token, an unknown upstream and a running primary', async () => {
    const agent = lab.record.regions[0]?.ingress.agent;
    await expect(labHost(peer(agent), 'ap').status(signal)).rejects.toMatchObject({code: 'other-region', exit: 77});
    await expect(labHost(peer(agent, 'app'), 'us-east').status(signal)).rejects.toMatchObject({code: 'unauthorized'});
    await expect(hostOf('ap').startAsStandby('mars', signal)).rejects.toMatchObject({code: 'unknown-upstream'});
    await expect(hostOf('us-east').startAsStandby('ap', signal)).rejects.toMatchObject({code: 'member-running'});
  });

  it('does not reach the agent of a region that is cut off or frozen', async () => {
    for (const kind of ['partition', 'freeze']) {
      await lab.fault('ap', kind);
      const short = AbortSignal.timeout(300);
      await expect(hostOf('ap').stop(short)).rejects.toThrow();
      await lab.heal('ap');
      expect((await hostOf('ap').status(signal)).running).toBe(true);
    }
  });

  it('says which region does not answer', async () => {
    await expect(labHost(peer(1), 'ap').status(signal)).rejects.toMatchObject({code: 'host-unreachable', exit: 69});
  });

  it('reads and writes weights, and injects and heals faults', async () => {
    const router = labRouter(peer(lab.record.control));
    await router.write(ctx, {'us-east': 50, ap: 50});
    expect(await router.read(signal)).toEqual({'us-east': 50, 'eu-west': 0, ap: 50});
    await router.write(ctx, {'us-east': 100});
    expect(await router.cut(ctx, 'us-east')).toBe(0);
    await expect(router.write(ctx, {mars: 1})).rejects.toThrow('unknown region "mars"');
    const fault = labFault(peer(lab.record.control), clock);
    expect(await fault.inject(ctx, {kind: 'latency', region: 'ap', args: {ms: 5}, leaseMs: 60_000})).toMatchObject({
      region: 'ap',
      kind: 'latency',
    });
    expect(await fault.active('ap', signal)).toMatchObject({known: true, value: ['latency']});
    await fault.heal(ctx, 'ap');
    await fault.heal(ctx, 'ap');
    expect(await fault.active('ap', signal)).toMatchObject({known: true, value: []});
    const healedAt = Date.now();
    await fault.inject(ctx, {kind: 'partition', region: 'ap', args: {}, leaseMs: 200});
    await eventually(async () => JSON.stringify(await fault.ended('ap', signal)).includes('"lease"'));
    const ends = await fault.ended('ap', signal);
    expect(ends).toMatchObject({
      known: true,
      value: expect.arrayContaining([
        {kind: 'latency', by: 'heal', at: expect.any(Number)},
        {kind: 'partition', by: 'lease', at: expect.any(Number)},
      ]),
    });
    const end = ends.known ? ends.value.find(({kind}) => kind === 'partition') : undefined;
    expect((end?.at ?? 0) - healedAt).toBeGreaterThanOrEqual(199);
    expect(await fault.ended('eu-west', signal)).toMatchObject({known: true, value: []});
    expect(await labFault(peer(1), clock).ended('ap', signal)).toMatchObject({known: false, code: 'unreachable'});
    expect(await labFault(peer(1), clock).active('ap', signal)).toMatchObject({known: false, code: 'unreachable'});
  });

  it('follows a switchover: stop, promote, start the old one as a standby on its own data', async () => {
    await lab.order('before');
    await hostOf('us-east').stop(signal);
    await lab.sql('eu-west', 'select pg_promote(true)');
    await hostOf('us-east').startAsStandby('eu-west', signal);
    await follows('us-east', 'eu-west');
    await hostOf('ap').startAsStandby('eu-west', signal); // It runs: turned without a restart.
    await follows('ap', 'eu-west');
    await lab.weights({'eu-west': 100});
    await eventually(async () => (await lab.order('after')).status === 201);
    expect((await lab.region('us-east')).role).toBe('standby');
    expect((await lab.region('eu-west')).role).toBe('primary');
  });

  it('rebuilds a member whose data went another way', async () => {
    await lab.fault('us-east', 'partition');
    await lab.sql('us-east', 'select pg_promote(true)');
    await lab.sql(
      'us-east',
      "set synchronous_commit = local; insert into orders (ref, item, quantity, region) values ('stray', 'x', 1, 'us-east')",
    );
    await lab.heal('us-east');
    const {bytes} = await hostOf('us-east').rebuild('eu-west', signal);
    expect(bytes).toBeGreaterThan(10_000_000);
    await follows('us-east', 'eu-west');
    await eventually(async () => (await rows('us-east')) === (await rows('eu-west')));
    expect(await lab.sql('us-east', "select 1 from orders where ref = 'stray'")).toEqual([]);
    const [own] = await lab.sql<{cluster_name: string; names: string}>(
      'us-east',
      "select current_setting('cluster_name') as cluster_name, current_setting('synchronous_standby_names') as names",
    );
    expect(own).toEqual({cluster_name: 'us-east', names: 'ANY 1 ("eu-west", "ap")'});
    const home = lab.record.regions[0]?.home ?? '';
    expect([existsSync(join(home, 'data.old')), existsSync(join(home, 'data.new'))]).toEqual([false, false]);
    expect((await lab.order('rebuilt')).status).toBe(201);
  });

  it('keeps the old data when the upstream is out of reach', async () => {
    await lab.fault('ap', 'partition', {from: 'us-east'});
    await expect(hostOf('ap').rebuild('us-east', signal)).rejects.toMatchObject({code: 'rebuild-failed'});
    expect((await hostOf('ap').status(signal)).running).toBe(false);
    await lab.heal('ap');
    await hostOf('ap').startAsStandby('eu-west', signal);
    await follows('ap', 'eu-west');
    await eventually(async () => (await rows('ap')) === (await rows('eu-west')));
  });
});
