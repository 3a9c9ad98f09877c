import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, describe, expect, it} from 'vitest';
import type {StoreWitnessRow} from '../../../src/lib/drill/report.ts';
import {logOf} from '../../../src/lib/drill/store-records.ts';
import {storeWitnesses} from '../../../src/lib/drill/store-witnesses.ts';
import {storeRowsOf} from '../../../src/lib/drill/witness-rows.ts';
import type {Store} from '../../../src/lib/ports/store.ts';
import {systemClock} from '../../../src/lib/run/system-clock.ts';
import {readWitnessLog} from '../../../src/lib/witness/witness-log.ts';
import {FLEET} from '../../drill/plans.ts';
import {eventually} from '../../servers/embedded.ts';
import {noRedis, type RedisOptions, type RedisServer, startRedis} from '../../servers/redis.ts';
import {testCtx} from '../postgres/open-store.ts';
import {at, type Keys, live, storeOf} from './store-under-test.ts';

const clock = systemClock();
const pause = (ms: number) => clock.sleep(ms);
const KEYS = 'regionctl:witness:*';
const firstAckOf = (row: StoreWitnessRow, member: string): number =>
  Date.parse(row.members.find((one) => one.member === member)?.firstAckAt ?? '');

describe.skipIf(noRedis !== null)(`the witness of a redis store${noRedis === null ? '' : ` (skipped: no ${noRedis})`}`, () => {
  const servers: RedisServer[] = [];
  const stores: Store[] = [];
  const dir = mkdtempSync(join(tmpdir(), 'redis-witness-'));
  const start = async (options: RedisOptions = {}): Promise<RedisServer> => {
    const server = await startRedis(options);
    servers.push(server);
    return server;
  };
  const open = async (members: Readonly<Record<string, Keys>>, keys: Keys = {}) => {
    const store = await storeOf(members, keys);
    stores.push(store);
    const {witness} = store.abilities;
    if (witness === undefined) throw new Error('it has the ability');
    return {store, witness};
  };
  const startRun = async (store: Store, name: string) => {
    const ctx = testCtx(name, 60_000);
    const streams = storeWitnesses({fleet: FLEET, stores: {cache: store}, dir, life: live(), clock});
    await streams.prepare(ctx, ['cache']);
    await streams.start(name, {stores: ['cache'], everyMs: 20, deadlineMs: 1000});
    return async () => {
      const [row] = storeRowsOf({stores: await streams.stop(ctx)});
      if (row === undefined) throw new Error('no row');
      return row;
    };
  };
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    await Promise.all(servers.splice(0).map((server) => server.end()));
    rmSync(dir, {recursive: true, force: true});
  });

  it('counts what a promotion lost exactly, and sees the gap as it was', async () => {
    const us = await start();
    const eu = await start({upstream: us});
    const {store} = await open({us: at(us), eu: at(eu)});
    const stop = await startRun(store, 'run-1');
    const key = (await eventually(() => us.cli('keys', KEYS))).split('\n')[0] ?? '';
    expect(Number(await us.cli('ttl', key))).toBeGreaterThan(80_000);
    await pause(300);
    // What us takes from here on nobody else has.
    await eu.cli('replicaof', '127.0.0.1', '1');
    await pause(300);
    const frozen = performance.now();
    us.freeze();
    await pause(250);
    us.thaw();
    const stood = performance.now() - frozen;
    await pause(60);
    const all = (await us.cli('lrange', key, '0', '-1')).split('\n');
    await us.kill();
    await eu.cli('replicaof', 'no', 'one');
    await pause(150);
    const kept = new Set((await eu.cli('lrange', key, '0', '-1')).split('\n'));
    const row = await stop();
    const {writes} = await readWitnessLog(logOf(dir, 'run-1', 'cache'));
    const sure = writes.filter(({outcome, endedAt}) => outcome === 'acknowledged' && endedAt < firstAckOf(row, 'eu')).map(({ref}) => ref);
    const lost = sure.filter((ref) => !kept.has(ref));
    expect(lost.length).toBeGreaterThan(10);
    expect(row.all.lost?.toSorted()).toEqual(lost.toSorted());
    // What us had when it was asked last, and eu has not; it took a few more until it was killed.
    const gone = all.filter((ref) => !kept.has(ref));
    expect(gone.every((ref) => lost.includes(ref))).toBe(true);
    expect(lost.length - gone.length).toBeLessThanOrEqual(5);
    expect(row).toMatchObject({store: 'cache', twoWriters: null, trouble: null, all: {duplicated: []}});
    expect(Math.abs((row.all.longestGapMs ?? 0) - stood)).toBeLessThan(50);
    expect(row.members.map(({acknowledged}) => acknowledged > 3)).toEqual([true, true]);
    expect(await eu.cli('keys', KEYS)).toBe('');
  });

  it('shows a write that was done twice, and costs a server that stands still no more than its lines', async () => {
    const us = await start();
    const {store, witness} = await open({us: at(us)});
    await witness.prepare(live());
    expect(await us.cli('keys', KEYS)).toBe('');
    const stop = await startRun(store, 'run-2');
    await eventually(() => us.cli('keys', KEYS));
    const ref = (await us.cli('lrange', 'regionctl:witness:run-2:writes', '0', '0')).trim();
    await us.cli('rpush', 'regionctl:witness:run-2:writes', ref);
    const frozen = performance.now();
    us.freeze();
    await pause(1500);
    us.thaw();
    const stood = performance.now() - frozen;
    await pause(200);
    const clients = (await us.cli('client', 'list', 'type', 'normal')).split('\n').length;
    const row = await stop();
    expect(row.all).toMatchObject({duplicated: [ref], duplicatedWrites: 1, lost: []});
    expect(Math.abs((row.all.longestGapMs ?? 0) - stood)).toBeLessThan(50);
    expect(clients).toBeLessThanOrEqual(27);
  });

  it('names the rights that it lacks', async () => {
    const us = await start();
    const {witness} = await open({us: at(us)});
    await us.cli('acl', 'setuser', 'default', 'resetkeys', '~other:*');
    await expect(witness.prepare(live())).rejects.toMatchObject({
      code: 'witness-privilege',
      exit: 77,
      suggestions: [expect.stringContaining('ACL SETUSER default ~regionctl:witness:* +ping +multi +exec +rpush')],
    });
  });
});
