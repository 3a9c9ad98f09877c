import {setTimeout as sleep} from 'node:timers/promises';
import {expect} from 'vitest';
import type {RunDocument} from '../../src/lib/run/document.ts';
import {eventually} from '../servers/embedded.ts';
import type {Ended, Fault, Ground} from './ground.ts';
import {type Ack, frontWriter, HostileWriter, PREPARE, UNDER_QUORUM, type Way, type Writing} from './writers.ts';

export type Round = {
  readonly fault: Fault;
  /** The standby whose replication takes longer than that of the other. */
  readonly slow: string;
  /** The killed primary is started again so long after the kill, whatever the failover does meanwhile; null = once the failover guards it. */
  readonly restartMs: number | null;
};

/** What a round showed. Times in ms. */
export type Shown = {
  readonly over: Ended;
  /** Whether the failover moved the primary. */
  readonly moved: boolean;
  /** The wanted target lacked what another standby held. */
  readonly lacked: boolean;
  /** Acknowledged without the quorum, and gone. */
  readonly lostLesser: number;
  /** As the run counted them; null = it counted none. */
  readonly counted: number | null;
  /** Rows that only the old primary held once it was fenced; null = it did not move. */
  readonly onlyOnOld: number | null;
  /** Rows that the failback kept of it before it overwrote it; null = it kept nothing. */
  readonly kept: number | null;
  /** How long the old primary acknowledged after its return; null = not at all. */
  readonly lateMs: number | null;
  /** From the fault to the first write that the new primary acknowledged. */
  readonly firstWriteMs: number | null;
};

const SLOW_MS = 40;
const HOSTILE: readonly Way[] = ['read-write', 'own-role', 'prepared', 'local', 'cancelled'];

/** Makes the table and the roles of the writers. */
export async function prepare(ground: Ground): Promise<void> {
  const client = await ground.admin(homeOf(ground));
  for (const statement of PREPARE) await client.query(statement);
  await client.end();
}

/** One fault, a failover, the return of the old primary, and the way home, with every writer at work. Throws where a promise was broken. */
export async function playRound(ground: Ground, round: Round): Promise<Shown> {
  const home = homeOf(ground);
  await ground.delay(round.slow, SLOW_MS);
  const writers = startWriters(ground);
  try {
    await eventually(
      () => writers.every(({way, region, writer}) => writer.acks.length > 5 || (region !== home && way !== 'front')),
      20_000,
    );
    await must(ground, 0, 'status');
    const {over, faultAt, backAt, onlyOnOld} = await lose(ground, round, writers);
    const moved = over.document?.outcome === 'succeeded';
    await ground.delay(round.slow, 0);
    const back = moved ? await must(ground, 0, 'failback', 'run', '--yes') : null;
    await sleep(300);
    await Promise.all(writers.map(({writer}) => writer.stop()));
    await endPrepared(ground);
    const acks = writers.flatMap(({writer}) => writer.acks);
    const held = await expectSame(ground);
    const gone = acks.filter(({id}) => !held.has(id));
    expect(
      gone.filter(({way}) => UNDER_QUORUM.has(way)),
      'acknowledged under the quorum, and gone',
    ).toEqual([]);
    expectOneAtATime(acks, home, faultAt);
    const late = acks.filter(({region, at}) => moved && region === home && at > backAt && at < (firstElsewhere(acks, home, backAt) ?? at));
    return {
      over,
      moved,
      lacked: over.document?.steps.find(({id}) => id === 'catch-up')?.status === 'done',
      lostLesser: gone.length,
      counted: over.document?.measured.lostWrites ?? null,
      onlyOnOld,
      kept: keptRows(back?.document?.steps.find(({id}) => id === `save-${home}`)?.detail ?? null),
      lateMs: span(late, round.fault === 'partition' ? backAt : Number.POSITIVE_INFINITY),
      firstWriteMs: firstOf(
        acks.filter(({region, at}) => region !== home && at > faultAt),
        faultAt,
      ),
    };
  } finally {
    await Promise.all(writers.map(({writer}) => writer.stop()));
  }
}

type Placed = {readonly way: Way; readonly region: string | null; readonly writer: Writing};

function startWriters(ground: Ground): readonly Placed[] {
  const hostile = ground.regions.flatMap((region) =>
    HOSTILE.map((way): Placed => {
      const open = (settings: object) => ground.connect(region, {database: 'orders', ...settings});
      return {way, region, writer: new HostileWriter({way, region, open})};
    }),
  );
  return [{way: 'front', region: null, writer: frontWriter(ground.enter)}, ...hostile];
}

/** The fault, the failover, and the return. */
async function lose(ground: Ground, {fault, restartMs}: Round, writers: readonly Placed[]) {
  const home = homeOf(ground);
  const front = writers[0]?.writer;
  await ground.begin(fault);
  const faultAt = performance.now();
  const running = ground.regionctl('failover', 'run', '--yes', '--wait-timeout', '60s');
  let over: Ended | null = null;
  void running.then((ended) => {
    over = ended;
  });
  if (restartMs === null) {
    const moved = () => front?.acks.some(({region, at}) => region !== home && at > faultAt) === true;
    await eventually(() => moved() || over !== null, 60_000);
    await sleep(500);
  } else await sleep(restartMs);
  // A killed or frozen server says nothing until it is back; one that was only cut off goes on, and is back when the way is.
  let backAt = performance.now();
  await ground.end(fault);
  if (fault === 'partition') backAt = performance.now();
  const ended = await running;
  // Whatever fails from here on, what the run said belongs to it.
  if (ended.document?.outcome !== 'succeeded')
    process.stdout.write(`    the run ended ${ended.code}: ${ended.document?.reason ?? ended.text.slice(0, 400)}\n`);
  const onlyOnOld = ended.document?.outcome === 'succeeded' ? await onlyOn(ground, home, ended.document) : null;
  return {over: ended, faultAt, backAt, onlyOnOld};
}

/** Rows that the old primary holds and the new one does not. Only our own role is let in. */
async function onlyOn(ground: Ground, home: string, {to}: RunDocument): Promise<number> {
  const [old, now] = [await idsIn(ground, home), await idsIn(ground, to ?? '')];
  return [...old].filter((id) => !now.has(id)).length;
}

async function idsIn(ground: Ground, region: string): Promise<ReadonlySet<number>> {
  const client = await ground.admin(region);
  try {
    const {rows} = await client.query<{id: string}>(ground.held);
    return new Set(rows.map(({id}) => Number(id)));
  } finally {
    await client.end();
  }
}

const keptRows = (detail: string | null): number | null => {
  const [, rows] = /^kept (\d+) rows?/.exec(detail ?? '') ?? [];
  return rows === undefined ? null : Number(rows);
};

/** Whoever was cut off between the two halves of a prepared transaction leaves it behind. */
async function endPrepared(ground: Ground): Promise<void> {
  const client = await ground.admin(homeOf(ground));
  const {rows} = await client.query<{gid: string}>('select gid from pg_prepared_xacts');
  for (const {gid} of rows) await client.query(`rollback prepared '${gid}'`);
  await client.end();
}

/** Every region holds the same; answers what. */
async function expectSame(ground: Ground): Promise<ReadonlySet<number>> {
  const held = await idsIn(ground, homeOf(ground));
  for (const region of ground.regions)
    await eventually(async () => {
      const there = await idsIn(ground, region);
      return there.size === held.size && [...held].every((id) => there.has(id));
    }, 20_000);
  return held;
}

/**
 * Once another region has acknowledged under the quorum, home does so no more until it is home again. What was asked for before the fault may have
 * been held by the quorum before it was sealed, and a frozen server tells so when it thaws: that such a write is not lost is looked at by itself.
 */
function expectOneAtATime(acks: readonly Ack[], home: string, faultAt: number): void {
  const ordered = acks.filter(({way, at}) => UNDER_QUORUM.has(way) && at > faultAt).toSorted((a, b) => a.at - b.at);
  const away = ordered.filter(({region}) => region !== home);
  const [first, last] = [away[0]?.at ?? Number.POSITIVE_INFINITY, away.at(-1)?.at ?? Number.NEGATIVE_INFINITY];
  const both = ordered.filter(({region, since, at}) => region === home && at > first && at < last && since > faultAt);
  expect(both, 'acknowledged by the old primary while the new one did so').toEqual([]);
}

/** When the way home ended the time of the other region: from then on home acknowledges by right. */
function firstElsewhere(acks: readonly Ack[], home: string, after: number): number | null {
  const away = acks.filter(({region, at, way}) => region !== home && at > after && UNDER_QUORUM.has(way));
  return away.length === 0 ? null : Math.max(...away.map(({at}) => at));
}

const span = (acks: readonly Ack[], from: number): number | null => {
  const times = acks.map(({at}) => at);
  return times.length === 0 ? null : Math.round(Math.max(...times) - Math.min(from, ...times));
};

const firstOf = (acks: readonly Ack[], from: number): number | null =>
  acks.length === 0 ? null : Math.round(Math.min(...acks.map(({at}) => at)) - from);

async function must(ground: Ground, code: number, ...args: readonly string[]): Promise<Ended> {
  const ended = await ground.regionctl(...args);
  if (ended.code !== code) throw new Error(`regionctl ${args.join(' ')} ended with ${ended.code}, not ${code}\n${ended.text}`);
  return ended;
}

const homeOf = ({regions}: Ground): string => regions[0] ?? '';
