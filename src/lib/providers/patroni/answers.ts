import {z} from 'zod';

/** What one Patroni says of itself and its server. */
export type AgentStatus = {
  readonly state: string;
  /** Whether its server is a primary, as it sees it. */
  readonly primary: boolean;
  readonly version: string | null;
  readonly scope: string | null;
  readonly paused: boolean;
  readonly pendingRestart: boolean;
  /** A watchdog is required and it cannot use it. */
  readonly watchdogFailed: boolean;
  /** It sees nobody hold the leader key. */
  readonly unlocked: boolean;
  readonly failsafeActive: boolean;
};

/** One member as Patroni lists it. `lag` in bytes; null = Patroni does not know it. */
export type ListedMember = {
  readonly name: string;
  readonly role: string;
  readonly state: string;
  readonly lag: number | null;
  readonly sync: boolean;
  readonly nofailover: boolean;
  readonly noloadbalance: boolean;
  /** null = Patroni does not know it, as of a server that does not run. */
  readonly timeline: number | null;
  readonly pendingRestart: boolean;
};

/** The cluster as the store behind Patroni (DCS) has it. `leader` holds the leader key; null = nobody is listed with it. */
export type ClusterView = {
  readonly leader: string | null;
  /** The leader follows another cluster: there is no primary here. */
  readonly standbyCluster: boolean;
  readonly paused: boolean;
  readonly members: readonly ListedMember[];
};

/** The part of Patroni's dynamic configuration that a failover depends on. Times in seconds. */
export type DynamicConfig = {
  readonly ttl: number;
  readonly loopWait: number;
  readonly retryTimeout: number;
  readonly maximumLag: number;
  readonly synchronous: boolean;
  readonly strict: boolean;
  readonly failsafe: boolean;
};

/* Patroni reads on, true, yes and 1 alike. In its quorum mode it waits for standbys, too. */
const flag = z
  .union([z.boolean(), z.string(), z.number()])
  .nullish()
  .transform((value) => ['true', 'on', 'yes', '1', 'quorum'].includes(String(value ?? false).toLowerCase()));
const seconds = (byDefault: number) =>
  z
    .union([z.number(), z.string()])
    .nullish()
    .transform((value) => Number(value ?? byDefault))
    .pipe(z.number().min(0));
const tags = z
  .looseObject({nofailover: flag, noloadbalance: flag, failover_priority: z.union([z.number(), z.string()]).nullish()})
  .nullish();

export const statusAnswer = z
  .looseObject({
    state: z.string(),
    role: z.string().nullish(),
    patroni: z.looseObject({version: z.string().nullish(), scope: z.string().nullish()}).nullish(),
    pause: flag,
    pending_restart: flag,
    watchdog_failed: flag,
    cluster_unlocked: flag,
    failsafe_mode_is_active: flag,
  })
  .transform(
    (answer): AgentStatus => ({
      state: answer.state,
      primary: answer.state === 'running' && ['master', 'primary'].includes(answer.role ?? ''),
      version: answer.patroni?.version ?? null,
      scope: answer.patroni?.scope ?? null,
      paused: answer.pause,
      pendingRestart: answer.pending_restart,
      watchdogFailed: answer.watchdog_failed,
      unlocked: answer.cluster_unlocked,
      failsafeActive: answer.failsafe_mode_is_active,
    }),
  );

const listed = z
  .looseObject({
    name: z.string(),
    role: z.string(),
    state: z.string().nullish(),
    lag: z.union([z.number(), z.string()]).nullish(),
    timeline: z.union([z.number(), z.string()]).nullish(),
    pending_restart: flag,
    tags,
  })
  .transform(
    ({name, role, state, lag, timeline, pending_restart, tags: own}): ListedMember => ({
      name,
      role,
      state: state ?? '',
      lag: typeof lag === 'number' ? lag : null,
      sync: ['sync_standby', 'quorum_standby'].includes(role),
      nofailover: own?.nofailover === true || (own?.failover_priority != null && Number(own.failover_priority) <= 0),
      noloadbalance: own?.noloadbalance === true,
      timeline: typeof timeline === 'number' ? timeline : null,
      pendingRestart: pending_restart,
    }),
  );

const LEADERS = ['leader', 'standby_leader', 'master', 'primary'];

export const clusterAnswer = z.looseObject({members: z.array(listed), pause: flag}).transform(({members, pause}): ClusterView => {
  const leader = members.find(({role}) => LEADERS.includes(role));
  return {leader: leader?.name ?? null, standbyCluster: leader?.role === 'standby_leader', paused: pause, members};
});

/* Defaults are Patroni's own, for keys that the configuration leaves out. */
export const configAnswer = z
  .looseObject({
    ttl: seconds(30),
    loop_wait: seconds(10),
    retry_timeout: seconds(10),
    maximum_lag_on_failover: seconds(1_048_576),
    synchronous_mode: flag,
    synchronous_mode_strict: flag,
    failsafe_mode: flag,
  })
  .transform(
    (answer): DynamicConfig => ({
      ttl: answer.ttl,
      loopWait: answer.loop_wait,
      retryTimeout: answer.retry_timeout,
      maximumLag: answer.maximum_lag_on_failover,
      synchronous: answer.synchronous_mode,
      strict: answer.synchronous_mode && answer.synchronous_mode_strict,
      failsafe: answer.failsafe_mode,
    }),
  );
