import type {Finding} from '../../ports/finding.ts';
import type {Abilities} from '../../ports/store.ts';
import {OBSERVE_MS} from '../postgres/facts.ts';
import {ackRule} from '../postgres/observe.ts';
import {disagreement, type Ensemble, listOf, readViews, sharedView, type Views} from './ensemble.ts';
import {finding} from './fit-cluster.ts';
import {type Picture, takePicture} from './fit-picture.ts';
import {judgeFailover} from './overseers-failover.ts';
import {type Overseen, type Rule, synchronousOf} from './overseers-sync.ts';

/** Whether Patroni could move the primary now, and whether it and the servers agree who that is. Patronis and servers are asked at the same time; nothing is changed. */
export function createOverseers(ensemble: Ensemble): Abilities['overseers'] {
  return {
    overseers: async (signal) => {
      const [picture, views, rule] = await Promise.all([
        takePicture(ensemble, signal),
        readViews(ensemble, {signal, timeoutMs: OBSERVE_MS}),
        ackRule(ensemble.cluster, signal),
      ]);
      return judgeOverseers(picture, views, rule);
    },
  };
}

/** One finding for each thing that Patroni says of its cluster, and for each member that it and the fleet file do not both know. */
export function judgeOverseers(picture: Picture, views: Views, rule: Rule): readonly Finding[] {
  const view = sharedView(views);
  if (view === null) {
    const silent = silentOf({picture, views});
    return [
      finding(picture, 'leader', 'unknown', 'no Patroni tells who holds the leader key', null),
      ...silent,
      ...failsafeOf(picture, false),
    ];
  }
  const seen: Overseen = {picture, view, views, rule};
  return [
    leaderOf(seen),
    pauseOf(seen),
    ...silentOf(seen),
    ...namesOf(seen),
    ...failsafeOf(picture, isBack(seen)),
    ...synchronousOf(seen),
    judgeFailover(seen),
    ...timesOf(picture),
  ];
}

function leaderOf({picture, views, view: {leader, standbyCluster}}: Overseen): Finding {
  const say = (verdict: Finding['verdict'], says: string, fix: string | null = null): Finding =>
    finding(picture, 'leader', verdict, says, fix, ...(leader === null ? [] : [leader]));
  const parted = disagreement(views);
  if (parted !== null)
    return say('error', `the Patronis do not agree who leads: ${parted}`, 'unless a move is under way: look at their DCS');
  if (leader === null) return say('error', 'nobody is listed with the leader key', 'unless an election is under way: patronictl list');
  if (standbyCluster) return say('pass', `${leader} leads a standby cluster: there is no primary here`);
  const others = primariesOf(picture).filter((name) => name !== leader);
  if (others.length > 0) {
    const says = `${leader} holds the leader key, and ${listOf(others)} ${others.length === 1 ? 'answers as a primary' : 'answer as primaries'}`;
    return say('error', says, 'unless a move is under way: regionctl status');
  }
  const server = picture.servers[leader];
  if (server === undefined) return say('error', `${leader} holds the leader key, which the fleet file does not know`, 'add it to members');
  if (!server.ok) return say('unknown', `${leader} holds the leader key, and its server could not be asked: ${server.says}`);
  if (server.value.recovering)
    return say('error', `${leader} holds the leader key, and its server is in recovery`, 'unless a move is under way: patronictl list');
  return say('pass', `${leader} holds the leader key, and its server is the primary`);
}

const primariesOf = ({servers}: Picture): readonly string[] =>
  Object.entries(servers).flatMap(([name, server]) => (server.ok && !server.value.recovering ? [name] : []));

function pauseOf({picture, view}: Overseen): Finding {
  if (!view.paused) return finding(picture, 'pause', 'pass', 'the cluster is not paused', null);
  return finding(picture, 'pause', 'warning', 'the cluster is paused: Patroni does not fail over by itself', 'patronictl resume');
}

/** One that answers for itself and not for its cluster has asked its DCS in vain: that is another fault, and not mended by starting it. */
function silentOf({picture, views}: Pick<Overseen, 'picture' | 'views'>): readonly Finding[] {
  const all = Object.keys(views);
  const silent = Object.entries(views).flatMap(([name, each]) => (each.ok ? [] : [{name, says: each.says}]));
  if (silent.length === 0) return [finding(picture, 'rest', 'pass', `all ${all.length} Patronis answer`, null)];
  const blind = silent.filter(({name}) => picture.agents[name]?.ok === true).map(({name}) => name);
  return [
    ...(blind.length === 0 ? [] : [blindSays(picture, blind, all)]),
    ...goneSays(
      picture,
      silent.filter(({name}) => !blind.includes(name)),
    ),
  ];
}

function blindSays(picture: Picture, blind: readonly string[], all: readonly string[]): Finding {
  const says = `Patroni of ${listOf(blind)} answers, and cannot tell its cluster: its DCS does not answer it in time`;
  return finding(picture, 'dcs', blind.length === all.length ? 'error' : 'warning', says, 'bring the DCS back, or the way to it');
}

const goneSays = (picture: Picture, gone: readonly {readonly name: string; readonly says: string}[]): readonly Finding[] =>
  gone.map(({name, says}) => {
    const meaning = `${says}: one that does not answer the others either is not promoted`;
    return finding(picture, 'rest', 'warning', meaning, `start Patroni on ${name}`, name);
  });

/** Names are how the two know each other. */
function namesOf({picture, views, view}: Overseen): readonly Finding[] {
  const lists = Object.values(views).flatMap((each) => (each.ok ? [each.value] : []));
  const listed = new Set(lists.flatMap(({members}) => members.map(({name}) => name)));
  const ours = Object.keys(picture.agents);
  const strangers = view.members.map(({name}) => name).filter((name) => !ours.includes(name));
  return [
    ...ours
      .filter((name) => !listed.has(name))
      .map((name) =>
        finding(picture, 'member', 'warning', `no Patroni lists ${name}`, 'start its Patroni; names must be the same in both', name),
      ),
    ...strangers.map((name) =>
      finding(picture, 'member', 'warning', `Patroni lists ${name}, which the fleet file does not know`, 'add it to the fleet file'),
    ),
  ];
}

/** The primary tells whether it is in failsafe mode; a standby says so for a ttl after the primary last asked it. */
function isBack({picture, views, view: {leader}}: Overseen): boolean {
  return Object.values(views).every(({ok}) => ok) && leader !== null && !failsafeOn(picture).includes(leader);
}

const failsafeOn = ({agents}: Picture): readonly string[] =>
  Object.entries(agents).flatMap(([name, agent]) => (agent.ok && agent.value.failsafeActive ? [name] : []));

function failsafeOf(picture: Picture, back: boolean): readonly Finding[] {
  const active = failsafeOn(picture);
  if (active.length > 0 && back) {
    const says = `failsafe mode was active less than a ttl ago, by ${listOf(active)}: the DCS did not answer then, and does now`;
    return [finding(picture, 'failsafe', 'pass', says, null)];
  }
  if (active.length > 0) {
    const says = `failsafe mode is active on ${listOf(active)}: the DCS does not answer, and the primary goes on only while every member agrees`;
    return [finding(picture, 'failsafe', 'warning', says, 'bring the DCS back')];
  }
  if (!picture.config.ok) return [];
  const says = picture.config.value.failsafe
    ? 'failsafe_mode is on, and not active: without the DCS the primary goes on as long as every member answers it'
    : 'failsafe_mode is off: without the DCS the primary steps down';
  return [finding(picture, 'failsafe', 'pass', says, null)];
}

function timesOf(picture: Picture): readonly Finding[] {
  if (!picture.config.ok) return [finding(picture, 'times', 'unknown', picture.config.says, null)];
  const {ttl, loopWait, retryTimeout, maximumLag} = picture.config.value;
  const says = `ttl ${ttl} s, loop_wait ${loopWait} s, retry_timeout ${retryTimeout} s, maximum_lag_on_failover ${maximumLag} bytes`;
  return [finding(picture, 'times', 'pass', says, null)];
}
