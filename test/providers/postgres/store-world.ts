import type {StoreWorld} from '../../../src/kit/contracts/store.ts';
import {eventually, type Programs, startServers} from '../../servers/embedded.ts';
import {openStore, testCtx} from './open-store.ts';

/** Three real servers as the contract suite wants them; `programs` chooses a version, default the embedded one. */
export async function makeStoreWorld(programs?: Programs): Promise<StoreWorld> {
  const servers = await startServers(['us', 'eu', 'ap'], programs);
  const find = (name: string) => {
    const server = servers.all.find((each) => each.name === name);
    if (server === undefined) throw new Error(`no server ${name}`);
    return server;
  };
  await find('us').sql('create table t (x int)');
  await eventually(async () => (await find('us').sql("select 1 from pg_stat_replication where state = 'streaming'")).length === 2);
  const [store, rival] = [await openStore(servers.all), await openStore(servers.all)];
  return {
    store,
    rival,
    primary: 'us',
    standbys: ['eu', 'ap'],
    kill: (member) => find(member).kill(),
    write: async (member) => {
      await find(member).sql('insert into t values (1)');
    },
    ctx: (runId) => testCtx(runId),
    close: async () => {
      await Promise.all([store.close(), rival.close()]);
      await servers.end();
    },
  };
}
