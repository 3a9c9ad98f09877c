import {timeoutAwake} from '../../awake.ts';
import {isRegionctlError, messageOf} from '../../errors.ts';
import type {Fleet} from '../../fleet/fleet.ts';
import {formatMs} from '../../output/units.ts';
import type {Probe, ProbeResult} from '../../ports/probe.ts';
import type {EndpointPlace, ProviderContext} from '../define.ts';
import {tlsSettings} from '../tls/credentials.ts';
import {secureBy} from './connect.ts';
import {getReady} from './driver.ts';
import {ONCE} from './plans.ts';
import type {PostgresConfig, PostgresMember, PostgresProbeConfig} from './provider.ts';
import {createSession} from './session.ts';

type Seen = {
  readonly recovering: boolean;
  readonly readOnly: boolean;
  readonly replayAgeMs: number | null;
  readonly received?: string | null;
  readonly connections: number | null;
  readonly most: number | null;
};

/* Never prepared by name: a pooler may give the next check another server session. */
const ROLE = `select ${ONCE} pg_is_in_recovery() as "recovering", current_setting('transaction_read_only') = 'on' as "readOnly"`;
/* A standby that has replayed all that it received is up to date only as long as somebody sends. An idle primary says something every half
   wal_sender_timeout; one that is gone leaves its receiver waiting for wal_receiver_timeout. Who may not see when it heard last sees the receiver only. */
const AGE = `case when not pg_is_in_recovery() then null
  when pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn() and exists (select from pg_stat_wal_receiver r where coalesce(r.last_msg_receipt_time
    > clock_timestamp() - interval '1 ms' * 0.6 * (select coalesce(nullif(setting::int, 0), 60000) from pg_settings where name = 'wal_receiver_timeout'), true)) then 0
  else (extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000)::float8 end as "replayAgeMs",
  case when pg_is_in_recovery() and exists (select from pg_stat_wal_receiver) then pg_last_wal_receive_lsn()::text end as "received"`;
/* Kinds of other roles' sessions are hidden from most; who they are is not. */
const USE = `(select count(*)::int from pg_stat_activity where backend_type = 'client backend' or (backend_type is null and usesysid is not null))
  as "connections", current_setting('max_connections')::int as "most"`;
const PASSED = `select pg_last_wal_replay_lsn() >= $1::pg_lsn as "passed"`;
/** Between two looks at a replay that seems late. */
const REST_MS = 100;

/** A fresh login and one statement each time: what a client would meet. Ends by `timeoutMs`, whatever the server does. */
export async function createProbe(config: PostgresProbeConfig, place: EndpointPlace, context: ProviderContext): Promise<Probe> {
  const {host, port, user, database, password, maxReplayAge, maxConnections} = config;
  const isPeer = isOfPeers(context.fleet, place.region, config);
  const label = `${place.region}/${place.endpoint}`;
  const secure = secureBy(tlsSettings(config, host, context.baseDir), context.secrets);
  const target = {host, port, user, database, label, password: () => context.secrets.reveal(password), ...secure};
  // What nobody judges is not asked: a probe is what every failover begins with.
  const sql = [ROLE, ...(maxReplayAge === undefined ? [] : [AGE]), ...(maxConnections === undefined ? [] : [USE])].join(', ');
  const check = async (signal: AbortSignal): Promise<ProbeResult> => {
    const session = createSession(target);
    const began = context.clock.now();
    const limited = AbortSignal.any([signal, timeoutAwake(place.timeoutMs)]);
    try {
      const [seen] = await session.rows<Seen>(sql, [], {signal: limited, timeoutMs: place.timeoutMs});
      const latencyMs = context.clock.now() - began;
      if (seen === undefined) return {ok: false, latencyMs, code: 'error', detail: 'Answered without a row.'};
      const inTime = await keepsUp(
        seen,
        config,
        (sql, values) => session.rows(sql, values, {signal: limited, timeoutMs: place.timeoutMs}),
        limited,
      );
      return judge(inTime ? {...seen, replayAgeMs: 0} : seen, {...config, isPeer}, latencyMs);
    } catch (error) {
      return failure(error, signal, session.reached());
    } finally {
      // A hanging connection attempt ends by its own limit: the answer does not wait for it.
      session.close().catch(() => undefined);
    }
  };
  return {ready: () => getReady(target), check};
}

type Ask = (sql: string, values: readonly unknown[]) => Promise<readonly {readonly passed: boolean}[]>;

/** The age counts from the last commit. After an idle hour, or in the middle of a long one, it is high although replay is a moment behind. */
async function keepsUp(seen: Seen, {maxReplayAge}: PostgresProbeConfig, ask: Ask, signal: AbortSignal): Promise<boolean> {
  const {replayAgeMs, received} = seen;
  if (maxReplayAge === undefined || received == null || (replayAgeMs !== null && replayAgeMs <= maxReplayAge)) return false;
  const {setTimeout: sleep} = await import('node:timers/promises');
  await sleep(REST_MS, undefined, {signal});
  return (await ask(PASSED, [received]))[0]?.passed === true && replayAgeMs !== null;
}

/** Whether a member of a store of peers listens where a probe looks: such a server is primary of nobody. */
function isOfPeers({stores}: Fleet, region: string, {host, port}: PostgresProbeConfig): boolean {
  return stores.some(({engine, config, members}) => {
    if (engine !== 'postgres' || (config as PostgresConfig).peers !== true) return false;
    return members.some((member) => {
      const {address} = member.config as PostgresMember;
      return member.region === region && address.host === host && address.port === port;
    });
  });
}

function judge(seen: Seen, config: PostgresProbeConfig & {readonly isPeer: boolean}, latencyMs: number): ProbeResult {
  const {expect, expectWritable, isPeer} = config;
  const role = seen.recovering ? 'standby' : 'primary';
  const said = isPeer && !seen.recovering ? 'a peer' : role;
  const writable = !seen.recovering && !seen.readOnly;
  const {replayAgeMs = null, connections = null, most = null} = seen;
  const facts = {
    role,
    writable,
    ...(replayAgeMs === null ? {} : {replayAgeMs}),
    ...(connections === null ? {} : {connections, maxConnections: most}),
  };
  if (expect !== 'any' && expect !== role)
    return {ok: false, latencyMs, code: 'wrong-role', detail: `Answered as ${said}, expected ${expect}.`, facts};
  if (expectWritable && !writable) {
    const detail = `Answered as ${said}${seen.recovering ? '' : ', read-only'}: it takes no write.`;
    return {ok: false, latencyMs, code: 'read-only', detail, facts};
  }
  const warning = warningOf(seen, config);
  return {
    ok: true,
    latencyMs,
    code: 'ok',
    detail: `Answered as ${said} in ${latencyMs.toFixed(1)} ms.`,
    facts,
    ...(warning === null ? {} : {warning}),
  };
}

function warningOf(
  {recovering, replayAgeMs, connections, most}: Seen,
  {maxReplayAge, maxConnections}: PostgresProbeConfig,
): NonNullable<ProbeResult['warning']> | null {
  if (maxReplayAge !== undefined && recovering && replayAgeMs === null)
    return {code: 'replay-late', says: 'It has replayed no transaction since it started, and nobody sends it any.'};
  if (maxReplayAge !== undefined && replayAgeMs !== null && replayAgeMs > maxReplayAge)
    return {
      code: 'replay-late',
      says: `It replayed its last transaction ${formatMs(replayAgeMs)} ago; at most ${formatMs(maxReplayAge)} is wanted.`,
    };
  if (maxConnections === undefined || connections === null || most === null) return null;
  const percent = (connections / most) * 100;
  if (percent <= maxConnections) return null;
  return {
    code: 'connections',
    says: `${connections} of ${most} connections are in use (${Math.round(percent)} %); at most ${maxConnections} % are wanted.`,
  };
}

/** Our own cancellation and a missing secret say nothing about the endpoint. */
function failure(error: unknown, signal: AbortSignal, connected: boolean): ProbeResult {
  const code = isRegionctlError(error) ? error.code : 'error';
  const couldNotRun = signal.aborted || ['secret-missing', 'probe-failed', 'cancelled', 'not-asked'].includes(code);
  return {ok: couldNotRun ? null : false, latencyMs: null, code, detail: messageOf(error), ...(connected ? {connected} : {})};
}
