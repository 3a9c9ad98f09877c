import type {Finding} from '../../ports/finding.ts';
import type {ClusterView, DynamicConfig} from './answers.ts';
import type {Move, Picture} from './fit-picture.ts';

/** A picture whose cluster could be read. */
export type Seen = Omit<Picture, 'view' | 'config'> & {readonly view: ClusterView; readonly config: DynamicConfig};

/** A finding that speaks of the whole cluster, or of one member. */
export const finding = (
  {store}: Pick<Picture, 'store'>,
  check: string,
  verdict: Finding['verdict'],
  says: string,
  fix: string | null,
  member?: string,
): Finding => ({check: `${store} ${check}`, verdict, says, fix, ...(member === undefined ? {} : {member})});

/** What of the cluster as a whole speaks against a handover. */
export function judgeCluster(seen: Seen, move: Move): readonly Finding[] {
  return [...judgeScope(seen), ...judgePause(seen, move), ...judgeLock(seen, move), judgeFencing(seen)];
}

/** Two clusters behind one store would be a promotion in the wrong one. */
export function judgeScope(seen: Pick<Picture, 'store' | 'wanted' | 'agents'>): readonly Finding[] {
  const told = Object.entries(seen.agents).flatMap(([name, agent]) =>
    agent.ok && agent.value.scope !== null ? [[name, agent.value.scope] as const] : [],
  );
  const wanted = seen.wanted.scope ?? told[0]?.[1] ?? null;
  return told
    .filter(([, scope]) => scope !== wanted)
    .map(([name, scope]) => {
      const expected = seen.wanted.scope === null ? `that of ${told[0]?.[0]} to ${wanted}` : `the fleet file says ${wanted}`;
      return finding(
        seen,
        'scope',
        'error',
        `Patroni of ${name} belongs to the cluster ${scope}, ${expected}`,
        `correct rest or scope in the fleet file`,
        name,
      );
    });
}

/** In pause a leader keeps its server running as a primary without the leader key, and no watchdog is armed. */
function judgePause(seen: Seen, {planned}: Move): readonly Finding[] {
  const paused = seen.view.paused || Object.values(seen.agents).some((agent) => agent.ok && agent.value.paused);
  if (!paused) return [];
  const says = planned
    ? 'the cluster is paused: Patroni hands over to a named candidate, but brings nobody back and guards nothing'
    : 'the cluster is paused: a primary goes on without the leader key, so that a failover could make two';
  return [finding(seen, 'pause', planned ? 'warning' : 'error', says, 'patronictl resume')];
}

function judgeLock(seen: Seen, {from, to, planned}: Move): readonly Finding[] {
  const {leader, standbyCluster} = seen.view;
  if (standbyCluster)
    return [finding(seen, 'standby-cluster', 'error', `${leader} leads a standby cluster: there is no primary to move`, null)];
  if (planned && leader === null)
    return [finding(seen, 'leader', 'error', 'nobody holds the leader key: a handover needs a leader that is well', 'patronictl list')];
  if (leader === null || leader === to || from === null || leader === from) return [];
  return [
    finding(
      seen,
      'leader',
      'error',
      `Patroni has made ${leader} the leader, not ${from}`,
      `look at ${leader} first: regionctl status`,
      leader,
    ),
  ];
}

/** What keeps a leader that comes back from acknowledging writes. A bare leader key does not. */
export function judgeFencing(seen: Pick<Seen, 'store' | 'config' | 'wanted' | 'servers'>): Finding {
  const {config, wanted, servers} = seen;
  if (wanted.watchdog === 'required') {
    const says = 'watchdog required: the machine of a leader that cannot renew its key is reset before the key expires';
    return finding(seen, 'fencing', 'pass', says, null);
  }
  const weak = Object.keys(servers).find((name) => servers[name]?.ok === true && servers[name].value.weak);
  if (config.strict && weak === undefined) {
    const says =
      'strict synchronous mode: a leader that lost its standbys acknowledges nothing, except to sessions with synchronous_commit=local';
    return finding(seen, 'fencing', 'pass', says, null);
  }
  if (config.strict) {
    const says = `the synchronous mode is strict, but synchronous_commit is off or local on ${weak}: its commits wait for nobody`;
    return finding(seen, 'fencing', 'warning', says, 'set synchronous_commit to on');
  }
  const says =
    'the watchdog is not required and the synchronous mode is not strict: a leader that hangs and comes back acknowledges writes until its Patroni notices that the key is gone';
  const fix = 'set watchdog.mode: required on every member (and watchdog: required in the fleet file), or synchronous_mode_strict';
  return finding(seen, 'fencing', 'warning', says, fix);
}
