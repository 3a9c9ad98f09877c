import {formatBytes, formatMs} from '../../output/units.ts';
import type {Json} from '../../plan/json.ts';
import type {ProbeResult} from '../../ports/probe.ts';
import type {Info, Standby, Upstream} from './info.ts';

/** What a server must be. Ages in ms, memory in percent; what is left out is not judged. */
export type Wanted = {
  readonly expect: 'primary' | 'standby' | 'any';
  readonly maxReplicationAge?: number | undefined;
  readonly minReplicas?: number | undefined;
  readonly maxMemory?: number | undefined;
};

type Warning = NonNullable<ProbeResult['warning']>;
type Judged = Pick<ProbeResult, 'code' | 'detail'>;

/** Judges what INFO said after `latencyMs`. `late` is a warning for when there is nothing worse, such as that of a certificate. */
export function judge(info: Info, wanted: Wanted, latencyMs: number, late: Warning | null = null): ProbeResult {
  const failed = failureOf(info, wanted);
  const facts = factsOf(info);
  if (failed !== null) return {ok: false, latencyMs, ...failed, facts};
  const warning = linkWarning(info, wanted) ?? standbyWarning(info, wanted) ?? fileWarning(info) ?? memoryWarning(info, wanted) ?? late;
  const detail = `Answered as ${info.role} in ${latencyMs.toFixed(1)} ms.`;
  return {ok: true, latencyMs, code: 'ok', detail, facts, ...(warning === null ? {} : {warning})};
}

function failureOf({role, saidRole, isSentinel, loading, upstream}: Info, {expect, maxReplicationAge}: Wanted): Judged | null {
  if (isSentinel) return {code: 'unexpected-answer', detail: 'Answered as a Sentinel, which has no role.'};
  if (loading !== null) return {code: 'starting', detail: loadingText(loading)};
  if (role === null) return {code: 'unexpected-answer', detail: noRole(saidRole)};
  if (expect !== 'any' && expect !== role) return {code: 'wrong-role', detail: `Answered as ${role}, expected ${expect}.`};
  const late = upstream === null || maxReplicationAge === undefined ? null : lateText(upstream, maxReplicationAge);
  return late === null ? null : {code: 'replication-late', detail: late};
}

function loadingText({percent, leftMs}: NonNullable<Info['loading']>): string {
  const far = percent === null ? '' : `: ${percent} % are done`;
  return `It is loading its data${far}${leftMs === null ? '' : `, ${formatMs(leftMs)} to go`}.`;
}

const noRole = (said: string | null): string =>
  said === null ? 'Answered without a role.' : `Answered as ${JSON.stringify(said)}, which is neither primary nor standby.`;

function lateText({address, link, ageMs}: Upstream, maxMs: number): string | null {
  if (link === 'down' && ageMs === null) return `It has never had a link to its primary ${address}.`;
  if (ageMs === null || ageMs <= maxMs) return null;
  const since =
    link === 'down'
      ? `It has had no link to its primary ${address} for ${formatMs(ageMs)}`
      : `It last heard from its primary ${address} ${formatMs(ageMs)} ago`;
  return `${since}; at most ${formatMs(maxMs)} is wanted.`;
}

function linkWarning({upstream}: Info, {maxReplicationAge}: Wanted): Warning | null {
  if (upstream === null) return null;
  const {address, link, isCopying, ageMs} = upstream;
  const warn = (says: string): Warning => ({code: 'replication-link', says});
  if (link === null) return warn(`It does not say how its link to its primary ${address} is.`);
  if (link === 'up')
    return ageMs === null && maxReplicationAge !== undefined
      ? warn(`It does not say when it last heard from its primary ${address}.`)
      : null;
  const copying = isCopying ? ': it is copying all of its data' : '';
  return warn(
    ageMs === null
      ? `It has never had a link to its primary ${address}${copying}.`
      : `Its link to its primary ${address} has been down for ${formatMs(ageMs)}${copying}.`,
  );
}

/** One that has not acknowledged anything for longer than `maxReplicationAge` does not count: a frozen one stays online for a minute. */
function standbyWarning({role, standbys}: Info, {minReplicas, maxReplicationAge}: Wanted): Warning | null {
  if (minReplicas === undefined || role !== 'primary') return null;
  const counted = standbys.filter((each) => isCounted(each, maxReplicationAge)).length;
  if (counted >= minReplicas) return null;
  const [one, heard] = [counted === 1, maxReplicationAge === undefined ? '' : ` and heard from within ${formatMs(maxReplicationAge)}`];
  const says = `${counted} ${one ? 'standby is' : 'standbys are'} online${heard}; at least ${minReplicas} ${minReplicas === 1 ? 'is' : 'are'} wanted.`;
  return {code: 'replicas', says};
}

const isCounted = ({isOnline, heardMs}: Standby, maxMs: number | undefined): boolean =>
  isOnline && (maxMs === undefined || (heardMs !== null && heardMs <= maxMs));

const FAILED: Readonly<Record<string, string>> = {
  rdb_last_bgsave_status: 'Its last snapshot to disk failed: unless stop-writes-on-bgsave-error is off it takes no write.',
  aof_last_write_status: 'Its last write to the append-only file failed: it takes no write.',
  aof_last_bgrewrite_status: 'Its last rewrite of the append-only file failed.',
};

function fileWarning({failed: [field]}: Info): Warning | null {
  return field === undefined ? null : {code: 'persistence', says: FAILED[field] ?? `Its ${field} is err.`};
}

function memoryWarning({usedBytes, maxBytes}: Info, {maxMemory}: Wanted): Warning | null {
  if (maxMemory === undefined) return null;
  const warn = (says: string): Warning => ({code: 'memory', says});
  if (usedBytes === null || maxBytes === null) return warn('It does not say how much memory it uses, or may use.');
  if (maxBytes === 0)
    return warn(`It uses ${formatBytes(usedBytes)} of memory and has no maxmemory; at most ${maxMemory} % of it are wanted.`);
  const percent = (usedBytes / maxBytes) * 100;
  if (percent <= maxMemory) return null;
  const share = `${formatBytes(usedBytes)} of ${formatBytes(maxBytes)} of memory (${percent.toFixed(1)} %)`;
  return warn(`It uses ${share}; at most ${maxMemory} % are wanted.`);
}

function factsOf(info: Info): Json {
  const {role, version, offset, usedBytes, maxBytes, upstream} = info;
  const memory = {usedMemoryBytes: usedBytes, maxMemoryBytes: maxBytes === 0 ? null : maxBytes};
  if (role === null) return {version, ...memory};
  const link = upstream === null ? {} : {primary: upstream.address, link: upstream.link, replicationAgeMs: upstream.ageMs};
  return {role, version, offset, ...link, ...standbyFacts(info), ...memory};
}

/** `replicaLagMs` is that of the one that was silent longest, `replicaBehindBytes` of the one that is farthest behind; of those online. */
function standbyFacts({role, standbys, offset}: Info): Readonly<Record<string, Json>> {
  if (role !== 'primary' && standbys.length === 0) return {};
  const online = standbys.filter(({isOnline}) => isOnline);
  const most = (values: readonly (number | null)[]): number | null => {
    const known = values.filter((value) => value !== null);
    return known.length === 0 ? null : Math.max(...known);
  };
  return {
    replicas: standbys.length,
    onlineReplicas: online.length,
    replicaLagMs: most(online.map(({heardMs}) => heardMs)),
    replicaBehindBytes: most(online.map((each) => (offset === null || each.offset === null ? null : Math.max(0, offset - each.offset)))),
  };
}
