import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {Store} from '../../../src/lib/ports/store.ts';
import {eventually} from '../../servers/embedded.ts';
import {openStore, signal} from './open-store.ts';
import {startPeers} from './peers-world.ts';

const NAMES = ['us', 'eu', 'ap'];

describe('what a peer has not sent', () => {
  let peers: Awaited<ReturnType<typeof startPeers>>;
  let store: Store & {readonly abilities: Required<Store['abilities']>};
  beforeAll(async () => {
    peers = await startPeers(NAMES);
    store = (await openStore(peers.all, {}, 0, 'regionctl', {peers: true})) as typeof store;
  });
  afterAll(async () => {
    await store?.close();
    await peers?.end();
  });
  const at = (name: string) => peers.all.find((server) => server.name === name) ?? expect.fail(`no server ${name}`);
  const likes = async (name: string, times: number) => {
    for (let done = 0; done < times; done++) await at(name).sql("select like_post('p')");
  };
  const unsent = () => store.abilities.outbound.unsent('us', signal());
  const slots = async () => (await at('us').sql("select slot_name from pg_replication_slots where slot_name like 'regionctl%'")).length;
  const settled = () => eventually(async () => Object.values(await unsent()).every(({transactions}) => transactions === 0));

  it('is nothing once everything has arrived, and leaves no slot behind', async () => {
    await likes('us', 3);
    await settled();
    expect(await unsent()).toMatchObject({eu: {transactions: 0, exact: true, why: null}, ap: {transactions: 0, exact: true, why: null}});
    expect(await slots()).toBe(0);
  });

  it('is counted for each of the others: what others wrote, what sends nothing and what was rolled back is not in it', async () => {
    const marks = {eu: await store.abilities.outbound.mark('eu', signal()), ap: await store.abilities.outbound.mark('ap', signal())};
    await at('ap').sql('alter subscription us_to_ap disable');
    await likes('us', 7);
    await likes('eu', 5);
    await at('us').sql('create table notes (note text); insert into notes values (1)');
    await at('us').sql("begin; select like_post('p'); rollback");
    await at('us').sql("begin; select like_post('a'); savepoint s; select like_post('b'); release s; select add_member('t', 'm'); commit");
    await eventually(async () => (await unsent()).eu?.transactions === 0);
    expect(await unsent()).toMatchObject({ap: {transactions: 8, exact: true}});
    expect((await unsent()).ap?.bytes).toBeGreaterThan(0);
    expect(await store.abilities.outbound.since('ap', 'us', marks.ap, signal())).toBe(0);
    await at('ap').sql('alter subscription us_to_ap enable');
    await settled();
    for (const name of ['eu', 'ap'] as const) {
      expect(await store.abilities.outbound.since(name, 'us', marks[name], signal())).toBe(8);
      expect(await slots()).toBe(0);
    }
    expect(await store.abilities.outbound.since('ap', 'eu', marks.ap, signal())).toBe(5);
  });

  it('is an upper bound where the receiver cannot be asked, and cannot be told of a member that is gone', async () => {
    await at('ap').kill();
    await likes('us', 4);
    const {ap} = await unsent();
    expect(ap).toMatchObject({exact: false, why: null});
    expect(ap?.transactions).toBeGreaterThanOrEqual(4);
    await at('ap').start();
    await settled();
    await at('us').kill();
    await expect(unsent()).rejects.toMatchObject({exit: 69});
    await at('us').start();
  });

  const restarted = async (name: string, commitTimes: 'on' | 'off') => {
    await at(name).sql(`alter system set track_commit_timestamp = ${commitTimes}`);
    await at(name).stop();
    await at(name).start();
    await settled();
  };

  it('is not known afterwards where commit times were not kept all the time', async () => {
    const mark = await store.abilities.outbound.mark('eu', signal());
    await restarted('eu', 'off');
    await likes('us', 2);
    await settled();
    await restarted('eu', 'on');
    await likes('us', 1);
    await settled();
    await expect(store.abilities.outbound.since('eu', 'us', mark, signal())).rejects.toMatchObject({code: 'untold'});
  });

  it('is not known afterwards where a subscription was made anew', async () => {
    const mark = await store.abilities.outbound.mark('ap', signal());
    await likes('us', 3);
    await settled();
    const [made] = await at('ap').sql<{conninfo: string}>("select subconninfo as conninfo from pg_subscription where subname = 'us_to_ap'");
    const ids = async () =>
      at('ap').sql<{id: number}>(
        "select roident::int as id from pg_replication_origin where roname = 'pg_' || (select oid from pg_subscription where subname = 'us_to_ap')",
      );
    const [before] = await ids();
    await at('ap').sql(
      'alter subscription us_to_ap disable; alter subscription us_to_ap set (slot_name = none); drop subscription us_to_ap',
    );
    await at('ap').sql(
      `create subscription us_to_ap connection '${made?.conninfo.replaceAll("'", "''")}' publication regions with (slot_name = us_to_ap, create_slot = false, copy_data = false, origin = none, streaming = off)`,
    );
    // The number of an origin that is gone is given out again.
    expect(await ids()).toEqual([before]);
    await settled();
    await expect(store.abilities.outbound.since('ap', 'us', mark, signal())).rejects.toMatchObject({code: 'made-anew'});
  });

  it('refuses to count from what is no mark', async () => {
    await expect(store.abilities.outbound.since('ap', 'us', {snapshot: 7}, signal())).rejects.toMatchObject({code: 'bad-mark'});
    await expect(store.abilities.outbound.since('ap', 'nobody', {snapshot: '7:7:'}, signal())).rejects.toMatchObject({code: 'no-link'});
  });
});
