import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {peerStoreContract} from '../../../src/kit/contracts/peer-store.ts';
import {eventually} from '../../servers/embedded.ts';
import {openStore, signal} from './open-store.ts';
import {startPeers} from './peers-world.ts';

const NAMES = ['us', 'eu', 'ap'];
const LINKS = NAMES.flatMap((from) => NAMES.filter((to) => to !== from).map((to) => `${from}>${to} ${from}_to_${to}`));

describe('a PostgreSQL store of peers', () => {
  let peers: Awaited<ReturnType<typeof startPeers>>;
  beforeAll(async () => {
    peers = await startPeers(NAMES);
  });
  afterAll(() => peers?.end());
  const open = () => openStore(peers.all, {}, 0, 'regionctl', {peers: true});

  it('compares no positions of members that are copies of one another, and waits for nobody', async () => {
    const store = await open();
    const cells = Object.values(await store.observe(signal()));
    expect(new Set(cells.map((cell) => cell.known && cell.value.durable.lineage)).size).toBe(3);
    expect(await store.ackRule(signal())).toMatchObject({known: true, value: {kind: 'async', need: 0}});
    expect(cells.map((cell) => cell.known && cell.value.writable)).toEqual([true, true, true]);
    await store.close();
  });

  it('reads the rows of one member at its own position, and refuses those of another at it', async () => {
    const store = await open();
    await peers.all[0]?.sql("select like_post('p')");
    const cell = (await store.observe(signal())).us;
    if (cell?.known !== true) throw new Error('us was not read');
    const read = async (member: string): Promise<readonly string[]> => {
      const keys: string[] = [];
      for await (const {key} of store.abilities.digest.rows(member, 'public.likes', cell.value.durable, signal())) keys.push(key);
      return keys;
    };
    expect(await read('us')).toEqual(['p']);
    await expect(read('eu')).rejects.toMatchObject({code: 'other-lineage'});
    await store.close();
  });

  it('says what a peer lacks', async () => {
    const store = await open();
    const passes = await store.abilities.inspect.inspect(signal());
    expect(passes.map(({verdict}) => verdict)).toEqual(['pass', 'pass', 'pass']);
    await peers.all[1]?.sql('alter subscription us_to_eu set (origin = any)');
    const [found] = await store.abilities.inspect.inspect(signal(), ['eu']);
    expect(found).toMatchObject({verdict: 'warning', member: 'eu', says: expect.stringContaining('us_to_eu also takes')});
    await peers.all[1]?.sql('alter subscription us_to_eu set (origin = none)');
    await store.close();
  });

  peerStoreContract({describe, it, expect}, async () => {
    for (const server of peers.all) await server.start();
    const store = await open();
    await eventually(async () => {
      const read = await store.abilities.links.links(signal());
      return read.length === LINKS.length && read.every(({senderState, replayBytes}) => senderState === 'streaming' && replayBytes === 0);
    }, 20_000);
    const kill = (member: string) => peers.all.find(({name}) => name === member)?.kill() ?? Promise.resolve();
    return {store, members: NAMES, links: LINKS, kill, close: () => store.close()};
  });
});
