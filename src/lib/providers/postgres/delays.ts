import {timeoutAwake} from '../../awake.ts';
import {messageOf} from '../../errors.ts';
import type {Abilities, Delay} from '../../ports/store.ts';
import {askEach, type Cluster, only} from './cluster.ts';
import {OBSERVE_MS} from './facts.ts';

/** What one member may make a failover wait for, in ms; -1 = for ever. */
export type Waits = {
  readonly recovering: boolean;
  readonly retryMs: number;
  readonly applyMs: number;
  readonly streamingMs: number;
  readonly archiveMs: number;
};

/** One member's settings, or why they could not be read. */
export type ReadWaits = {readonly member: string; readonly waits?: Waits; readonly error?: string};

const ms = (name: string): string => `(select setting::float8 from pg_settings where name = '${name}')`;
/* Each of these is in ms by its unit in pg_settings. */
const WAITS = `
select pg_is_in_recovery() as "recovering",
  ${ms('wal_retrieve_retry_interval')} as "retryMs",
  ${ms('recovery_min_apply_delay')} as "applyMs",
  ${ms('max_standby_streaming_delay')} as "streamingMs",
  ${ms('max_standby_archive_delay')} as "archiveMs"`;

/** What holds up a failover of a store run by hand: settings of whoever may take over, and how long we wait for whoever does not answer. */
export function createDelays(cluster: Cluster): Abilities['delays'] {
  return {
    delays: async (signal) => {
      const limited = AbortSignal.any([signal, timeoutAwake(OBSERVE_MS)]);
      const asked = await askEach([...cluster.nodes.values()], async (node) =>
        only(await node.session.rows<Waits>(WAITS, [], {signal: limited, timeoutMs: OBSERVE_MS}), node),
      );
      const read = asked.map(({node, value, error}): ReadWaits => {
        if (value !== undefined) return {member: node.name, waits: value};
        return {member: node.name, error: messageOf(error).replace(/\.$/, '')};
      });
      return delaysOf(cluster.store, read);
    },
  };
}

/** The delays by what was read: for each setting the longest of the members that may take over. */
export function delaysOf(store: string, read: readonly ReadWaits[]): readonly Delay[] {
  const standbys = read.flatMap(({member, waits}) => (waits?.recovering ? [{member, ...waits}] : []));
  const primaries = read.flatMap(({waits}) => (waits?.recovering === false ? [waits] : []));
  // While the primary answers it cannot be the one who is to take over; once it does not, nobody knows who of the silent ones it was.
  const silent = read.filter(({waits}) => waits === undefined);
  return [
    ...ourLimits(store),
    ...longest(
      standbys,
      ({retryMs}) => retryMs,
      (member, forMs) => stall(store, member, forMs),
    ),
    ...longest(
      standbys,
      ({streamingMs, archiveMs}) => Math.max(unlimited(streamingMs), unlimited(archiveMs)),
      (member, forMs) => conflict(store, member, forMs),
    ),
    ...longest(
      standbys,
      ({applyMs}) => applyMs,
      (member, forMs) => applyDelay(store, member, forMs),
    ),
    ...(silent.length > (primaries.length === 0 ? 1 : 0) ? silent : []).map(({member, error}) =>
      unread(member, error ?? 'it does not answer'),
    ),
  ];
}

/** Nobody who is silent makes the plan wait longer than this: once when it looks, and twice before its first step (gates, and what it expects). */
function ourLimits(store: string): readonly Delay[] {
  const why = `whoever of ${store} does not answer is waited for ${inSeconds(OBSERVE_MS)}`;
  return [
    {stage: 'detect', what: `a silent member of ${store}`, ms: OBSERVE_MS, why: `${why} by a look at the fleet`, fix: null},
    {
      stage: 'cut-over',
      what: `asking ${store} again`,
      ms: 2 * OBSERVE_MS,
      why: `${why} by the gates, and again before the first step`,
      fix: null,
    },
  ];
}

function stall(store: string, member: string, forMs: number): Delay {
  return {
    stage: 'cut-over',
    what: `a promotion of ${store} that stalls`,
    ms: forMs,
    why: `wal_retrieve_retry_interval of ${member} is ${inSeconds(forMs)}: a promotion can stall for that long`,
    fix: `set wal_retrieve_retry_interval to 100ms on the members of ${store}`,
  };
}

function conflict(store: string, member: string, forMs: number): Delay {
  const limit = Number.isFinite(forMs) ? `for ${inSeconds(forMs)}` : 'without a limit';
  return {
    stage: 'cut-over',
    what: `queries that hold up replay in ${store}`,
    ms: forMs,
    why: `max_standby_streaming_delay and max_standby_archive_delay let a query on ${member} hold up its replay ${limit}, and nothing is promoted before it has replayed what it holds`,
    fix: `lower max_standby_streaming_delay and max_standby_archive_delay on the members of ${store} that may take over`,
  };
}

function applyDelay(store: string, member: string, forMs: number): Delay {
  return {
    stage: 'cut-over',
    what: `delayed replay in ${store}`,
    ms: forMs,
    why: `recovery_min_apply_delay of ${member} is ${inSeconds(forMs)}, and nothing is promoted before it has replayed what it holds`,
    fix: `set recovery_min_apply_delay to 0 on the members of ${store} that may take over`,
  };
}

function unread(member: string, why: string): Delay {
  return {stage: 'cut-over', what: `the settings of ${member}`, ms: null, why, fix: `bring ${member} up, or look why it does not answer`};
}

type Standby = Waits & {readonly member: string};

function longest(
  standbys: readonly Standby[],
  of: (standby: Standby) => number,
  tell: (member: string, ms: number) => Delay,
): readonly Delay[] {
  const [worst] = standbys
    .map((standby) => ({member: standby.member, ms: of(standby)}))
    .toSorted((a, b) => (a.ms === b.ms ? 0 : b.ms - a.ms));
  return worst === undefined || worst.ms <= 0 ? [] : [tell(worst.member, worst.ms)];
}

const unlimited = (forMs: number): number => (forMs < 0 ? Number.POSITIVE_INFINITY : forMs);

const inSeconds = (forMs: number): string => `${forMs / 1000} s`;
