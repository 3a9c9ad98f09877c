import {execFile} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {readLag} from '../../../src/lib/operate/lag.ts';
import type {LagRow} from '../../../src/lib/replication/lag.ts';
import {openFleet} from '../../replication/lag-world.ts';
import {eventually} from '../../servers/embedded.ts';
import {
  backup,
  CONFIG,
  noPatroni,
  PATRONICTL,
  type PatroniCluster,
  REST_PASSWORD,
  REST_USER,
  SCOPE,
  startPatroni,
} from '../../servers/patroni.ts';
import {openPatroni, type PatroniStore} from './open-patroni.ts';

const NAMES = ['us', 'eu', 'ap'];
const TTL_MS = 20_000;
const signal = (): AbortSignal => AbortSignal.timeout(10_000);

// One cluster for all: what a test breaks, it mends, and each begins when everybody follows the leader.
describe.skipIf(noPatroni !== null)(`the links of Patroni with etcd${noPatroni === null ? '' : ` (not run: ${noPatroni})`}`, () => {
  let cluster: PatroniCluster;
  let store: PatroniStore;
  let leader: string;
  let [first, second] = ['', ''];
  beforeAll(async () => {
    cluster = await startPatroni({names: NAMES});
    store = await openPatroni(cluster);
  });
  afterAll(async () => {
    await store?.close();
    await cluster?.end();
  });
  beforeEach(async () => {
    leader = await cluster.settled();
    [first = '', second = ''] = NAMES.filter((name) => name !== leader);
  });
  afterEach(async () => {
    cluster.startDcs();
    for (const member of cluster.members) member.thaw();
    await cluster.configure({pause: null, failsafe_mode: null, ...backup()});
  });

  const rows = async (): Promise<readonly LagRow[]> => (await readLag(openFleet(store, NAMES), {signal: signal()})).document.links;
  const rowOf = async (to: string): Promise<LagRow> => {
    const found = (await rows()).find((row) => row.to === to);
    if (found === undefined) throw new Error(`no link to ${to}`);
    return found;
  };
  /** The row as soon as its reason has these words. */
  const saying = async (to: string, words: string, ms?: number): Promise<LagRow> => {
    let last = '';
    const look = async (): Promise<LagRow | null> => {
      const row = await rowOf(to);
      last = row.reason;
      return last.includes(words) ? row : null;
    };
    return eventually(look, ms).catch((error: unknown) => {
      throw new Error(`the last that was said: ${last}`, {cause: error});
    });
  };
  const overseen = async (): Promise<readonly string[]> =>
    (await store.abilities.overseers.overseers(signal())).map(({check, verdict, says}) => `${verdict} ${check}: ${says}`);
  const notable = async (): Promise<readonly string[]> => (await overseen()).filter((line) => !line.startsWith('pass'));

  it('are what SQL says when all is well, and the overseers agree', async () => {
    for (const row of await rows()) {
      expect(row, row.reason).toMatchObject({from: leader, state: expect.stringMatching(/^(streaming|idle)$/), replayBytes: 0});
      expect(row.reason).not.toContain('Patroni');
    }
    expect(await notable()).toEqual([]);
    const said = await overseen();
    expect(said).toContain(`pass orders leader: ${leader} holds the leader key, and its server is the primary`);
    expect(said).toContain('pass orders times: ttl 20 s, loop_wait 1 s, retry_timeout 3 s, maximum_lag_on_failover 1048576 bytes');
    expect(said.find((line) => line.includes(' failover: '))).toMatch(/^pass orders failover: Patroni could promote (\w+) or (\w+) now$/);
  });

  it('say that the cluster is paused, and that Patroni leaves a stopped server alone then', async () => {
    await cluster.configure({pause: true});
    expect(await saying(first, 'Patroni is paused, and moves nothing by itself')).toMatchObject({replayBytes: 0});
    expect(await notable()).toEqual([
      'warning orders pause: the cluster is paused: Patroni does not fail over by itself',
      expect.stringMatching(/^warning orders failover: Patroni promotes nobody while it is paused; else it could promote \w+ or \w+$/),
    ]);
    // Before its Patroni has seen the pause it would start its server again.
    await eventually(async () => ((await cluster.member(second).ask('/patroni')) as {pause?: boolean}).pause === true);
    const row = await eventually(async () => {
      // Patroni 3.0.2 restarts a server even so when it happens to change its primary_conninfo.
      cluster.member(second).stopServer();
      const now = await rowOf(second);
      return now.code === 'member-stopped' ? now : null;
    });
    expect(row.reason).toContain(`Patroni says that the server of ${second} is stopped, and starts nothing while it is paused`);
    expect(row).toMatchObject({from: leader, state: 'broken', code: 'member-stopped'});
    expect(row.reason).toMatch(/refuses connections/);
    expect((await notable()).find((line) => line.includes(' failover: '))).toContain(`${second} is "stopped"`);
    await cluster.configure({pause: null});
    expect(await cluster.settled()).toBe(leader);
    expect((await saying(second, 'has everything')).reason).not.toContain('Patroni');
  });

  it('go on when only the Patroni of a standby hangs, and say so: first that it is silent, then that it is not listed', async () => {
    cluster.member(second).freezeAgent();
    const began = performance.now();
    const row = await rowOf(second);
    expect(performance.now() - began).toBeLessThan(4000);
    expect(row).toMatchObject({state: expect.stringMatching(/^(streaming|idle)$/), replayBytes: 0});
    expect(row.reason).toMatch(new RegExp(`; Patroni of ${second} \\(http://127.0.0.1:\\d+\\) did not answer within 1500 ms\\.$`));
    expect((await rowOf(first)).reason).not.toContain('Patroni');
    const silent = await notable();
    expect(silent).toEqual([
      expect.stringMatching(new RegExp(`^warning orders rest: Patroni of ${second} .* did not answer within 1500 ms`)),
    ]);
    expect((await overseen()).find((line) => line.includes(' failover: '))).toBe(
      `pass orders failover: Patroni could promote ${first} now; ${second} has a Patroni that does not answer`,
    );
    const later = await saying(second, `Patroni does not list ${second}, so it does not promote it`, TTL_MS + 10_000);
    expect(later).toMatchObject({state: expect.stringMatching(/^(streaming|idle)$/), replayBytes: 0});
    // By now it has no room left for callers, and is to cost no more than its deadline all the same.
    const again = performance.now();
    expect(await notable()).toContain(`warning orders member: no Patroni lists ${second}`);
    expect(performance.now() - again).toBeLessThan(4000);
    cluster.member(second).thaw();
    expect((await saying(second, 'has everything')).state).toMatch(/^(streaming|idle)$/);
  });

  it('are not known when the leader is frozen, and both of its ends say why', async () => {
    cluster.member(leader).freeze();
    const began = performance.now();
    for (const row of await rows()) {
      expect(row).toMatchObject({from: leader, state: 'unknown', code: 'sender-unread'});
      expect(row.reason).toMatch(new RegExp(`${leader} .* did not answer.*; Patroni of ${leader} .* did not answer within 1500 ms`));
    }
    expect(performance.now() - began).toBeLessThan(4000);
    const said = await notable();
    expect(said[0]).toMatch(new RegExp(`^unknown orders leader: ${leader} holds the leader key, and its server could not be asked: `));
    expect(said[1]).toMatch(new RegExp(`^warning orders rest: Patroni of ${leader} `));
    cluster.member(leader).thaw();
    expect(await cluster.settled()).toBe(leader);
  });

  it('are broken to a machine that is lost, which Patroni lists for a while yet', async () => {
    await cluster.member(second).kill();
    const row = await rowOf(second);
    expect(row).toMatchObject({from: leader, state: 'broken', code: 'not-connected'});
    expect(row.reason).toMatch(
      new RegExp(`Patroni of ${second} .* refuses connections; Patroni lists ${second} as running, which it was at its last turn\\.$`),
    );
    cluster.member(second).start();
    expect(await cluster.settled()).toBe(leader);
  });

  it('say that a member is made anew', async () => {
    await cluster.configure(backup('8M'));
    // It takes the pace on its next turn, and writes it down then.
    await eventually(() => readFileSync(join(cluster.member(second).dir, 'data', 'patroni.dynamic.json'), 'utf8').includes('max-rate'));
    const authorization = `Basic ${Buffer.from(`${REST_USER}:${REST_PASSWORD}`).toString('base64')}`;
    const asked = await fetch(`${cluster.member(second).rest}/reinitialize`, {method: 'POST', headers: {authorization}, body: '{}'});
    expect(asked.status).toBe(200);
    const row = await saying(second, 'Patroni is ');
    expect(row).toMatchObject({from: leader, state: 'catching-up'});
    expect(['rebuilding', 'member-stopping', 'starting']).toContain(row.code);
    expect(row.reason).toMatch(new RegExp(`Patroni is (making|stopping|starting) .*${second}`));
    expect(await cluster.settled()).toBe(leader);
  });

  it('are those of SQL when the DCS is gone, and doctor tells that from Patronis that are', async () => {
    await cluster.configure({failsafe_mode: true});
    // The leader writes down who has to agree on its next turn.
    await eventually(async () => {
      const known = await Promise.all(cluster.members.map((member) => member.ask('/failsafe').catch(() => null)));
      return known.every((members) => members !== null);
    });
    expect(await overseen()).toContain(
      'pass orders failsafe: failsafe_mode is on, and not active: without the DCS the primary goes on as long as every member answers it',
    );
    await cluster.stopDcs();
    const row = await saying(first, '; no Patroni tells the state of the cluster: Patroni of ');
    expect(row).toMatchObject({from: leader, state: expect.stringMatching(/^(streaming|idle)$/), replayBytes: 0});
    const said = await eventually(async () => {
      const now = await notable();
      return now.some((line) => line.includes(' failsafe: ')) ? now : null;
    });
    expect(said).toEqual([
      'unknown orders leader: no Patroni tells who holds the leader key',
      'error orders dcs: Patroni of us, eu and ap answers, and cannot tell its cluster: its DCS does not answer it in time',
      expect.stringMatching(/^warning orders failsafe: failsafe mode is active on /),
    ]);
    cluster.startDcs();
    await cluster.settled();
  });

  it('follow a switchover by patronictl', async () => {
    const flags = [
      '-c',
      join(cluster.member(leader).dir, CONFIG),
      'switchover',
      SCOPE,
      '--master',
      leader,
      '--candidate',
      first,
      '--force',
    ];
    await promisify(execFile)(PATRONICTL, flags, {env: {PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8'}, timeout: 30_000});
    expect(await cluster.settled()).toBe(first);
    const all = await eventually(async () => {
      const now = await rows();
      return now.every(({reason}) => !reason.includes('Patroni')) ? now : null;
    });
    expect(all.map(({from, to}) => `${from} → ${to}`).toSorted()).toEqual([leader, second].map((to) => `${first} → ${to}`).toSorted());
    for (const {state} of all) expect(state).toMatch(/^(streaming|idle)$/);
    expect(await overseen()).toContain(`pass orders leader: ${first} holds the leader key, and its server is the primary`);
    expect(await notable()).toEqual([]);
  });

  it('name both when a standby is promoted behind the back of Patroni', async () => {
    await cluster.configure({pause: true});
    await eventually(async () => ((await cluster.member(first).ask('/patroni')) as {pause?: boolean}).pause === true);
    await cluster.member(first).sql('select pg_promote()');
    const row = await eventually(async () =>
      (await rows()).find(({reason}) => reason.includes(`Patroni says that ${leader} is the leader`)),
    );
    expect(row).toMatchObject({from: first, to: leader, state: 'broken', code: 'promoted'});
    expect(row.reason).toContain(`Patroni says that ${leader} is the leader, and ${first} answers as the primary`);
    expect(await notable()).toContain(`error orders leader: ${leader} holds the leader key, and ${first} answers as a primary`);
    await cluster.configure({pause: null});
    await cluster.settled();
  });
});
