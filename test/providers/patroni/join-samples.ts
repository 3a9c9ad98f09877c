import type {LinkReading} from '../../../src/lib/ports/store.ts';
import type {ClusterView, ListedMember} from '../../../src/lib/providers/patroni/answers.ts';
import type {Reading, Views} from '../../../src/lib/providers/patroni/ensemble.ts';

/** A link that both ends hold, with nothing outstanding. */
export function link(to: string, more: Partial<LinkReading> = {}): LinkReading {
  return {
    ...{from: 'us', to, kind: 'physical', senderState: 'streaming', receiverConnected: true, senderRead: true},
    ...{sendBytes: 0, writeBytes: 0, flushBytes: 0, replayBytes: 0, runwayBytes: null, lastReplayAgeSeconds: 1},
    ...{heardUpstreamAgoMs: 100, sync: 'async', sampleAgeMs: 0, trouble: null, replayOffset: '1000'},
    ...{senderTimeline: 3, receiverTimeline: 3},
    ...more,
  };
}

const NOTHING = {sendBytes: null, writeBytes: null, flushBytes: null, replayBytes: null, replayOffset: null, lastReplayAgeSeconds: null};

/** What is left of a link whose receiver does not answer, and which its sender does not list. */
export const dark = (to: string, more: Partial<LinkReading> = {}): LinkReading =>
  link(to, {
    ...NOTHING,
    ...{senderState: null, receiverConnected: null, receiverTimeline: null, heardUpstreamAgoMs: null, sync: null},
    trouble: `${to} (db) refused the connection.`,
    ...more,
  });

/** A member as Patroni lists it: a replica that runs. */
export const listed = (name: string, more: Partial<ListedMember> = {}): ListedMember => ({
  ...{name, role: 'replica', state: 'running', lag: 0, sync: false, nofailover: false, noloadbalance: false, timeline: 3},
  pendingRestart: false,
  ...more,
});

/** `us` leads `eu` and `ap`; what is given of a member is laid over it, and null takes it out. */
export function viewOf(members: Readonly<Record<string, Partial<ListedMember> | null>> = {}, more: Partial<ClusterView> = {}): ClusterView {
  const leader = more.leader === undefined ? 'us' : more.leader;
  const all = ['us', 'eu', 'ap', ...Object.keys(members).filter((name) => !['us', 'eu', 'ap'].includes(name))];
  return {
    ...{leader, standbyCluster: false, paused: false},
    members: all.flatMap((name) => {
      const own = members[name];
      const role = name === leader ? {role: 'leader', lag: null} : {};
      return own === null ? [] : [listed(name, {...role, ...own})];
    }),
    ...more,
  };
}

export const silent = (name: string): Reading<never> => ({
  ok: false,
  code: 'timeout',
  says: `Patroni of ${name} (http://${name}:8008) did not answer within 1500 ms`,
});

/** Every Patroni says the same, but for those that are given. */
export function viewsOf(view: ClusterView, others: Readonly<Record<string, Reading<ClusterView>>> = {}): Views {
  const same: Reading<ClusterView> = {ok: true, value: view};
  return {us: same, eu: same, ap: same, ...others};
}
