import {messageOf} from '../../errors.ts';
import type {Audit} from '../../ports/audit.ts';
import type {Clock} from '../../ports/clock.ts';
import type {LinkReading} from '../../ports/store.ts';
import type {AuditedMember} from './model.ts';

/**
 * What waiting for replication came to. `position`: every member has what the others had when it began. `none`: nothing replicates between these
 * members that we know of, so there was nothing to wait for. `behind`: it was not reached, and `reason` says by whom.
 */
export type Settled = {readonly basis: 'position' | 'none'} | {readonly basis: 'behind'; readonly reason: string};

export type SettleJob = {
  readonly audit: Pick<Audit, 'position' | 'unshown'>;
  /** Absent = the store has no links. */
  readonly links?: (signal: AbortSignal) => Promise<readonly LinkReading[]>;
  readonly clock: Clock;
  /** How long replication may take, in ms. */
  readonly waitMs: number;
};

const FIRST_POLL_MS = 20;
const SLOWEST_POLL_MS = 250;

/**
 * Waits until every member has applied what every other one had written when this was called: a captured position, not a pause, since an idle link and
 * a stalled one look alike. A standby has to reach the furthest member of its stream, since what it follows may follow another. Of a sender that is not
 * among the members every one has to apply what any of them had. What is passed on from one to the next takes a wait for each step.
 */
export async function settle(job: SettleJob, members: readonly AuditedMember[], signal: AbortSignal): Promise<Settled> {
  const names = members.map(({member}) => member);
  const end = job.clock.now() + job.waitMs;
  for (let step = 1; ; step++) {
    const {state, steps} = await settleOnce(job, names, end, signal);
    if (state.basis !== 'position' || step >= steps) return state;
  }
}

async function settleOnce(
  {audit, links, clock}: SettleJob,
  names: readonly string[],
  end: number,
  signal: AbortSignal,
): Promise<{readonly state: Settled; readonly steps: number}> {
  if (links === undefined) return {state: {basis: 'none'}, steps: 1};
  const positions = await positionsOf(audit, names, signal);
  const held = await unshownBy(audit, names, signal);
  let targets: Targets | null = null;
  for (let pause = FIRST_POLL_MS; ; pause = Math.min(SLOWEST_POLL_MS, pause * 2)) {
    const read = await links(signal).catch((error: unknown) => {
      signal.throwIfAborted();
      return messageOf(error);
    });
    const live = typeof read === 'string' ? read : read.filter(isOne);
    if (typeof live !== 'string') targets ??= targetsOf(live, names, positions);
    const applied =
      typeof live === 'string' || targets === null ? {basis: 'behind' as const, reason: String(live)} : judge(live, names, targets);
    const state = applied.basis === 'behind' ? applied : ((await stillUnshown(audit, held, signal)) ?? applied);
    if (state.basis !== 'behind' || clock.now() >= end) return {state, steps: targets?.steps ?? 1};
    await clock.sleep(pause, signal);
  }
}

/** Somebody who follows nobody, or another cluster, gets nothing however long it is waited for: what differs there stays so. */
const isOne = ({cause}: LinkReading): boolean => cause?.code !== 'promoted' && cause?.code !== 'other-cluster';

async function positionsOf(audit: SettleJob['audit'], names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, bigint>> {
  const read = await Promise.all(names.map(async (name) => [name, BigInt(await audit.position(name, signal))] as const));
  return new Map(read);
}

type Unshown = ReadonlyMap<string, readonly string[]>;

async function unshownBy({unshown}: SettleJob['audit'], names: readonly string[], signal: AbortSignal): Promise<Unshown> {
  const read = await Promise.all(names.map(async (name) => [name, (await unshown?.(name, signal)) ?? []] as const));
  return new Map(read.filter(([, own]) => own.length > 0));
}

/** What others may have and its own member does not show: only what was so at the beginning, since more comes all the time. */
async function stillUnshown(audit: SettleJob['audit'], before: Unshown, signal: AbortSignal): Promise<Settled | null> {
  const now = await unshownBy(audit, [...before.keys()], signal).catch((error: unknown) => {
    signal.throwIfAborted();
    return messageOf(error);
  });
  if (typeof now === 'string') return {basis: 'behind', reason: now};
  for (const [name, own] of before) {
    const left = own.filter((each) => now.get(name)?.includes(each)).length;
    if (left > 0)
      return {
        basis: 'behind',
        reason: `${left} ${left === 1 ? 'commit waits' : 'commits wait'} for a synchronous standby of ${name}, which does not show ${left === 1 ? 'it' : 'them'} before.`,
      };
  }
  return null;
}

/** What each member must have of each sender; null = that cannot be known. */
type Targets = {readonly of: (link: LinkReading) => bigint | null; readonly steps: number};

function targetsOf(links: readonly LinkReading[], names: readonly string[], positions: ReadonlyMap<string, bigint>): Targets {
  const streams = streamsOf(links, names);
  const streamOf = (name: string): string => streams.get(name) ?? name;
  const own = inbound(links, names);
  const most = (all: readonly bigint[]): bigint | null =>
    all.reduce<bigint | null>((top, each) => (top === null || each > top ? each : top), null);
  const applied = (some: readonly LinkReading[]): readonly bigint[] =>
    some.flatMap(({replayOffset}) => (replayOffset === null ? [] : [BigInt(replayOffset)]));
  const of = (link: LinkReading): bigint | null => {
    if (link.kind !== 'logical') {
      const stream = own.filter((each) => each.kind !== 'logical' && streamOf(each.to) === streamOf(link.to));
      const written = names.filter((name) => streamOf(name) === streamOf(link.to)).map((name) => positions.get(name) ?? 0n);
      return most([...written, ...applied(stream)]);
    }
    const position = positions.get(link.from);
    if (position !== undefined) return position;
    const beside = own.filter((each) => each.kind === 'logical' && each.from === link.from);
    return beside.some(({replayOffset}) => replayOffset === null) ? null : most(applied(beside));
  };
  const byLink = new Map(own.map((link) => [idOf(link), of(link)]));
  return {of: (link) => byLink.get(idOf(link)) ?? null, steps: stepsOf(links, names, streamOf)};
}

const idOf = ({from, to, link}: LinkReading): string => JSON.stringify([from, to, link]);

/** Links that carry rows to one of the members. */
const inbound = (links: readonly LinkReading[], names: readonly string[]): readonly LinkReading[] =>
  links.filter(({to, kind}) => names.includes(to) && kind !== 'messages');

/** A name for each stream of one log, by member: whoever gets the log of another one is on its stream. */
function streamsOf(links: readonly LinkReading[], names: readonly string[]): ReadonlyMap<string, string> {
  const streams = new Map(names.map((name) => [name, name]));
  for (const {from, to, kind} of links) {
    if (kind === 'logical' || kind === 'messages') continue;
    const [one, other] = [streams.get(from) ?? from, streams.get(to) ?? to];
    streams.set(from, one).set(to, other);
    for (const [name, stream] of streams) if (stream === other) streams.set(name, one);
  }
  return streams;
}

/** Over how many members a change goes at most on its shortest way. A stream counts as one step, however its members follow each other. */
function stepsOf(links: readonly LinkReading[], names: readonly string[], streamOf: (name: string) => string): number {
  const all = [...new Set([...names, ...links.flatMap(({from, to}) => [from, to])])];
  const next = (from: string): readonly string[] =>
    all.filter((to) => to !== from && (streamOf(to) === streamOf(from) || links.some((link) => link.from === from && link.to === to)));
  const furthest = (from: string): number => {
    const steps = new Map([[from, 0]]);
    for (const [name, step] of steps) for (const to of next(name)) if (!steps.has(to)) steps.set(to, step + 1);
    return Math.max(...steps.values());
  };
  return Math.max(1, ...names.map(furthest));
}

function judge(links: readonly LinkReading[], names: readonly string[], targets: Targets): Settled {
  const own = inbound(links, names);
  for (const link of own) {
    const target = targets.of(link);
    const reached = link.replayOffset === null ? null : BigInt(link.replayOffset);
    if (reached !== null && target !== null && reached >= target) continue;
    const how =
      reached === null || target === null
        ? `it is not known what ${link.to} has applied`
        : `${link.to} has ${target - reached} bytes of it yet to apply`;
    return {basis: 'behind', reason: `${link.to} did not catch up with ${link.from}: ${link.trouble ?? how}.`};
  }
  return {basis: own.length === 0 ? 'none' : 'position'};
}
