// A primary is killed under load, with a standby behind a throttled line that nothing waits for. What the last sample before the kill predicted is held
// against what is missing on the promoted standby of all that was acknowledged.
import {execFile} from 'node:child_process';
import {rmSync} from 'node:fs';
import {loadavg} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {promisify} from 'node:util';
import {CLEAR, FaultyProxy} from '../src/lab/faulty-proxy.ts';
import {PortPicker} from '../src/lab/ports.ts';
import {recallLag, rememberLag} from '../src/lib/operate/remember-lag.ts';
import type {LinkReading} from '../src/lib/ports/store.ts';
import {previewLoss} from '../src/lib/replication/loss.ts';
import {unknown} from '../src/lib/snapshot/cell.ts';
import {mapMemory} from '../test/health/memory.ts';
import {type FullStore, openStore} from '../test/providers/postgres/open-store.ts';
import {eventually, type Server, startServers} from '../test/servers/embedded.ts';
import {NumberedWriter, unevenPace} from './numbered-writer.ts';
import type {Report} from './report.ts';
import {median, round} from './timing.ts';

const KILLS = Number(process.env.KILLS ?? 25);
const SAMPLE_MS = 250;
/** In turn, each steady: what the store is written with, per second. The line carries some 180 of them. */
const PACES = [300, 500, 700] as const;
/** No promise can be made for a pace that nobody foresees: what such kills come to is told beside. */
const UNEVEN = {kills: 10, everyMs: 200, least: 200, most: 1000};
const LOAD = {connections: 4, payloadBytes: 1500};
const LINE_BYTES_PER_SECOND = 300_000;
const LEAST_LOST = 100;

/** What the product says at one moment, and what it read of the link. `at` = when it was asked: what is written from then on may not be in it. */
type Sample = {
  readonly at: number;
  readonly transactions: number;
  readonly bytes: number;
  readonly links: readonly LinkReading[];
};

const PLACE = {fleet: 'bench', store: 'orders'};

type Kill = {
  readonly counted: 'ids' | 'log';
  readonly perSecond: number | 'uneven';
  /** The last sample before the kill, and how old it was then. */
  readonly sampled: number;
  readonly sampledBytes: number;
  readonly ageMs: number;
  /** The same with everything since at the rate that the product keeps: bytes by the product, transactions in the same proportion. */
  readonly predicted: number;
  readonly predictedBytes: number;
  /** Acknowledged and not on the promoted standby. */
  readonly measured: number;
  /** Acknowledged within the last whole interval between two samples, and between the last sample and the kill. */
  readonly writtenInOneSample: number;
  readonly writtenSinceSample: number;
};

type Pair = {readonly us: Server; readonly eu: Server; readonly way: FaultyProxy; store(): Promise<FullStore>; restore(): Promise<void>};

export async function measureKills(report: Report): Promise<void> {
  const kills: Kill[] = [];
  const uneven: Kill[] = [];
  const servers = await startServers(['us', 'eu']);
  const way = new FaultyProxy();
  try {
    const pair = await preparePair(servers.dir, servers.all, way);
    for (const counted of ['ids', 'log'] as const) {
      for (let each = 0; each < KILLS; each++) {
        kills.push(await killUnderLoad(pair, counted, PACES[each % PACES.length] ?? PACES[0]));
        console.log(JSON.stringify(kills.at(-1)));
      }
    }
    for (let each = 0; each < UNEVEN.kills; each++) uneven.push(await killUnderLoad(pair, 'ids', 'uneven'));
  } finally {
    way.reshape(CLEAR);
    await servers.end();
    await way.close();
  }
  judge(kills, report);
  tellUneven(uneven, report);
}

function tellUneven(kills: readonly Kill[], report: Report): void {
  const below = kills.filter(({predicted, measured}) => predicted < measured).length;
  const short = Math.max(...kills.map(({predicted, measured, writtenInOneSample}) => (measured - predicted) / writtenInOneSample));
  const what = `the same with a pace that changes every ${UNEVEN.everyMs} ms between ${UNEVEN.least} and ${UNEVEN.most} a second: below what was lost`;
  report.add(what, `no promise, of ${kills.length}`, below, 'kills', true, {
    furthestBelowInSamples: round(Math.max(0, short)),
    ...UNEVEN,
    kills,
  });
}

function judge(kills: readonly Kill[], report: Report): void {
  const detail = {lineBytesPerSecond: LINE_BYTES_PER_SECOND, ...LOAD, paces: PACES, sampleMs: SAMPLE_MS, loadOfMachine: loadavg(), kills};
  const least = Math.min(...kills.map(({measured}) => measured));
  const count = kills.length;
  report.add(
    `acknowledged transactions lost in each of ${count} kills, the least`,
    `>= ${LEAST_LOST}`,
    least,
    'transactions',
    least >= LEAST_LOST,
    null,
  );
  const below = kills.filter(({predicted, measured}) => predicted < measured).length;
  report.add('last sample plus its rate times its age, below what was lost', `0 of ${count}`, below, 'kills', below === 0, detail);
  const over = kills.map(({predicted, measured, writtenInOneSample}) => (predicted - measured) / writtenInOneSample);
  const worst = Math.max(...over);
  report.add(
    'the same, above what was lost, in what was written within one sample: the most',
    '<= 1 sample',
    worst,
    'samples',
    worst <= 1,
    {
      median: round(median(over)),
      most: Math.max(...kills.map(({predicted, measured}) => predicted - measured)),
    },
  );
  const off = Math.max(...kills.map(({sampled, measured, writtenInOneSample}) => Math.abs(sampled - measured) / writtenInOneSample));
  const bare = kills.filter(({sampled, measured}) => sampled < measured).length;
  const why = {belowBecauseWritesWentOn: bare};
  report.add('the last sample as it stands against what was lost, either way: the most', '<= 1 sample', off, 'samples', off <= 1, why);
}

/** One round: everything as it was, load over the slow line, samples, the kill at any moment between two of them, the promotion. */
async function killUnderLoad(pair: Pair, counted: Kill['counted'], perSecond: Kill['perSecond']): Promise<Kill> {
  const {us, eu, way} = pair;
  await pair.restore();
  await us.start();
  await eu.start();
  await eventually(async () => (await us.sql(`select 1 from pg_stat_replication where state = 'streaming'`)).length === 1);
  if (counted === 'log') await us.sql('create extension pg_walinspect');
  const store = await pair.store();
  const writer = await NumberedWriter.start(us, {...LOAD, pace: perSecond === 'uneven' ? unevenPace(UNEVEN) : () => perSecond});
  try {
    way.reshape({...CLEAR, downBytesPerSecond: LINE_BYTES_PER_SECOND});
    const samples: Sample[] = [];
    const sampling = takeSamples(store, samples, counted);
    await sleep(1500 + Math.random() * 3 * SAMPLE_MS);
    // What is on the line is lost with it: a region that dies takes its end of the line along.
    way.reshape({...CLEAR, blackHole: true});
    const killing = us.kill();
    const killedAt = performance.now();
    sampling.stop();
    const taken = [...samples];
    await killing;
    await writer.stopped();
    const loss = await predict(store, taken, killedAt);
    await eu.sql('select pg_promote(true, 30)');
    const there = new Set((await eu.sql<{id: number}>('select id from t')).map(({id}) => id));
    const measured = writer.acknowledged().filter(({id}) => !there.has(id)).length;
    const [before, last] = taken.slice(-2) as [Sample, Sample];
    const between = (from: number, to: number): number => writer.acknowledged().filter(({at}) => at > from && at <= to).length;
    return {
      ...{
        counted,
        perSecond,
        sampled: last.transactions,
        sampledBytes: last.bytes,
        ageMs: Math.round(killedAt - last.at),
        ...loss,
        measured,
      },
      ...{writtenInOneSample: between(before.at, last.at), writtenSinceSample: between(last.at, Number.POSITIVE_INFINITY)},
    };
  } finally {
    await store.close();
    await writer.stopped();
    await us.kill();
    await eu.kill();
  }
}

/** Until `stop`, which throws what a sample failed with before that. */
function takeSamples(store: FullStore, samples: Sample[], counted: Kill['counted']): {stop(): void} {
  const calling = new AbortController();
  let failed: {readonly error: unknown} | null = null;
  const run = async (): Promise<void> => {
    for (let next = performance.now(); !calling.signal.aborted; next += SAMPLE_MS) {
      await sleep(Math.max(0, next - performance.now()));
      const {signal} = calling;
      const at = performance.now();
      const [loss, links] = await Promise.all([store.abilities.loss.loss('eu', signal), store.abilities.links.links(signal)]);
      const {transactions, bytes, basis} = loss;
      if (transactions === null || bytes === null || links[0]?.endOffset == null) continue;
      if (bytes > 0 && basis.includes('Commits are counted') !== (counted === 'log')) throw new Error(`counted otherwise: ${basis}`);
      samples.push({at, transactions, bytes, links});
    }
  };
  run().catch((error: unknown) => {
    if (!calling.signal.aborted) failed = {error};
  });
  return {
    stop: () => {
      calling.abort();
      if (failed !== null) throw failed.error;
    },
  };
}

/** As `replication loss` does when the primary does not answer: the last sample, and everything since at the rate that is kept of all samples. */
async function predict(
  store: FullStore,
  samples: readonly Sample[],
  killedAt: number,
): Promise<{predicted: number; predictedBytes: number}> {
  const [before, last] = samples.slice(-2);
  if (before === undefined || last === undefined) throw new Error('fewer than two samples before the kill');
  const memory = mapMemory();
  for (const {links, at} of samples) rememberLag(memory, PLACE, links, at);
  const {bytesPerSecond = null} = recallLag(memory, {...PLACE, member: 'eu', now: killedAt}) ?? {};
  const times = {seconds: null, transactions: null, transactionsPerSecond: null};
  const history = {...times, bytes: last.bytes, bytesPerSecond, ageMs: killedAt - last.at};
  const seen = await store.observe(AbortSignal.timeout(5000), ['eu']);
  const gone = unknown('refused', 'us refuses connections.', Date.now());
  const snapshot = {engine: 'postgres', ack: gone, members: {...seen, us: gone}};
  const document = previewLoss(new Date().toISOString(), 'eu', [
    {store: 'orders', member: 'eu', snapshot, quorum: 0, classes: [], reading: null, history},
  ]);
  const bytes = document.stores[0]?.bytes ?? null;
  if (bytes === null) throw new Error(`nothing was predicted: ${JSON.stringify(document)}`);
  return {predicted: Math.ceil((last.transactions * bytes) / last.bytes), predictedBytes: bytes};
}

/** Both servers with their standby behind the way, stopped and kept aside: each round begins with a copy. */
async function preparePair(dir: string, all: readonly Server[], way: FaultyProxy): Promise<Pair> {
  const [us, eu] = all as [Server, Server];
  way.target = us.port;
  const port = await way.listen(new PortPicker());
  await us.sql('create table t (id int primary key, v text)');
  await us.stop();
  await eu.stop();
  eu.demote({...us, port});
  const kept = join(dir, 'kept');
  const copy = (from: string, to: string) => promisify(execFile)('cp', ['-a', from, to]);
  await promisify(execFile)('mkdir', [kept]);
  for (const {dir: data, name} of all) await copy(data, join(kept, name));
  return {
    ...{us, eu, way},
    store: () => openStore(all, {}, 0, 'regionctl', {upstreams: {eu: {us: {host: '127.0.0.1', port}}}}),
    restore: async () => {
      way.reshape(CLEAR);
      for (const {dir: data, name} of all) {
        rmSync(data, {recursive: true, force: true});
        await copy(join(kept, name), data);
      }
    },
  };
}
