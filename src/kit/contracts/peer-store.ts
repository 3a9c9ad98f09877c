import type {LinkReading, Store} from '../../lib/ports/store.ts';
import {becomesTrue, type Runner, worldTests} from './runner.ts';

/** A store without a primary: at least two members that take writes of their own, all well, and its links, all running and drained. */
export type PeerStoreWorld = {
  readonly store: Store;
  readonly members: readonly string[];
  /** Every link that the fleet file names; of those with a name as `from>to name`, else `from>to`. */
  readonly links: readonly string[];
  /** Makes a member stop answering for good. */
  kill(member: string): Promise<void>;
  close(): Promise<void>;
};

/** What belongs to a primary: a store of peers has none of it, so that nobody asks it to. */
const OF_A_PRIMARY = ['seal', 'fence', 'durability', 'promote', 'follow', 'rejoin', 'manage'] as const;

/** What every store of peers must keep, whatever its engine. `makeWorld` is called for each test. */
export function peerStoreContract(runner: Runner, makeWorld: () => Promise<PeerStoreWorld>): void {
  runner.describe('peer store contract', () => {
    members(runner, makeWorld);
    links(runner, makeWorld);
  });
}

function members(runner: Runner, makeWorld: () => Promise<PeerStoreWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('says that it has no primary, and cannot do what belongs to one', async ({store}) => {
    expect(store.peers).toBe(true);
    expect(OF_A_PRIMARY.filter((ability) => store.abilities[ability] !== undefined)).toEqual([]);
  });

  test('observes every member as a peer, or those that are asked for', async ({store, members: names}) => {
    const cells = await store.observe(live());
    expect(Object.keys(cells).toSorted()).toEqual([...names].toSorted());
    expect(names.map((name) => cells[name]?.known === true && cells[name].value.role)).toEqual(names.map(() => 'peer'));
    const [first = ''] = names;
    expect(Object.keys(await store.observe(live(), [first]))).toEqual([first]);
  });

  test('never throws for a dead member, which is unknown with a code and a reason; the others are read', async (world) => {
    const {store, members: names, kill} = world;
    const [dead = '', ...rest] = names;
    await kill(dead);
    const cells = await store.observe(live());
    const cell = cells[dead];
    expect(cell?.known).toBe(false);
    if (cell?.known === false) expect(cell.code.length > 0 && cell.reason.length > 0).toBe(true);
    expect(rest.map((name) => cells[name]?.known)).toEqual(rest.map(() => true));
  });
}

function links(runner: Runner, makeWorld: () => Promise<PeerStoreWorld>): void {
  const {expect} = runner;
  const test = worldTests(runner, makeWorld);

  test('reads every link, with bytes where there is a log and only there, and nothing negative', async ({store, links: wanted}) => {
    if (store.abilities.links === undefined) return;
    const read = await store.abilities.links.links(live());
    expect(read.map(nameOf).toSorted()).toEqual([...wanted].toSorted());
    for (const reading of read) {
      const {sendBytes, writeBytes, flushBytes, replayBytes, messages} = reading;
      if (messages === undefined) expect([isRunning(reading), sendBytes, replayBytes]).toEqual([true, 0, 0]);
      else {
        expect([sendBytes, writeBytes, flushBytes, replayBytes]).toEqual([null, null, null, null]);
        expect(messages).toMatchObject({flow: 'running', depth: 0});
      }
      expect(figuresOf(reading).filter((figure) => figure !== null && !(figure >= 0))).toEqual([]);
    }
  });

  test('never calls the links of a dead member well: they run no more, or are not known', async ({store, members: names, kill}) => {
    const reader = store.abilities.links;
    if (reader === undefined) return;
    const [dead = ''] = names;
    await kill(dead);
    // A carrier whose connection has just broken may need a moment to notice it.
    const told = await becomesTrue(async () => {
      const read = await reader.links(live());
      const touched = read.filter(({from, to}) => from === dead || to === dead);
      return !touched.some(isRunning);
    });
    expect(told).toBe(true);
    for (const reading of await reader.links(live())) {
      if (reading.from !== dead) continue;
      expect(reading.senderRead).toBe(false);
      const {messages, sendBytes, replayBytes} = reading;
      expect(messages === undefined ? [sendBytes, replayBytes] : [messages.depth, messages.oldestAgeSeconds]).toEqual([null, null]);
    }
  });
}

const nameOf = ({from, to, link}: LinkReading): string => (link === undefined ? `${from}>${to}` : `${from}>${to} ${link}`);

/** As its carrier says, or as both ends of its log do. */
function isRunning({messages, senderRead, senderState, receiverConnected}: LinkReading): boolean {
  if (messages !== undefined) return messages.flow === 'running';
  return senderRead && senderState !== null && receiverConnected === true;
}

function figuresOf({messages, sampleAgeMs, ...log}: LinkReading): readonly (number | null)[] {
  if (messages === undefined) return [sampleAgeMs, log.sendBytes, log.writeBytes, log.flushBytes, log.replayBytes];
  const {depth, unacknowledged, oldestAgeSeconds, consumers, redelivered, deadLettered, publishedPerSecond, movedPerSecond} = messages;
  return [sampleAgeMs, depth, unacknowledged, oldestAgeSeconds, consumers, redelivered, deadLettered, publishedPerSecond, movedPerSecond];
}

function live(): AbortSignal {
  return AbortSignal.timeout(10_000);
}
