import {formatBytes} from '../../output/units.ts';
import type {Finding} from '../../ports/finding.ts';
import type {DynamicConfig, ListedMember} from './answers.ts';
import {listOf} from './ensemble.ts';
import {finding} from './fit-cluster.ts';
import {runs} from './member-state.ts';
import type {Overseen} from './overseers-sync.ts';

/** Whether Patroni could promote anybody if the leader were lost now, by its own rules and its own view. */
export function judgeFailover(seen: Overseen): Finding {
  const {picture, view} = seen;
  const say = (verdict: Finding['verdict'], says: string, fix: string | null = null): Finding =>
    finding(picture, 'failover', verdict, says, fix);
  const {config} = picture;
  if (!config.ok) return say('unknown', `whether Patroni could promote anybody is not known: ${config.says}`);
  const standbys = view.members.filter(({name}) => name !== view.leader);
  if (standbys.length === 0) return say('error', 'Patroni lists no other member: it could promote nobody', 'bring a standby back');
  const judged = standbys.map((member) => ({name: member.name, against: againstOf(seen, member, config.value)}));
  const able = judged.flatMap(({name, against}) => (against === null ? [name] : []));
  const unable = judged.flatMap(({name, against}) => (against === null ? [] : [`${name} ${against}`]));
  if (able.length === 0) return say('error', `Patroni could promote nobody now: ${unable.join('; ')}`, 'patronictl list');
  const beside = unable.length === 0 ? '' : `; ${unable.join('; ')}`;
  if (view.paused)
    return say(
      'warning',
      `Patroni promotes nobody while it is paused; else it could promote ${listOf(able, 'or')}${beside}`,
      'patronictl resume',
    );
  return say('pass', `Patroni could promote ${listOf(able, 'or')} now${beside}`);
}

/** The first thing that keeps Patroni from promoting it, as the rest of a sentence; null = nothing does. */
function againstOf({picture, views}: Overseen, member: ListedMember, config: DynamicConfig): string | null {
  const {name, nofailover, state, sync, lag} = member;
  const agent = picture.agents[name];
  if (nofailover) return 'is tagged nofailover';
  if (agent?.ok === false) return 'has a Patroni that does not answer';
  if (views[name]?.ok === false) return 'has a Patroni that cannot read its DCS';
  if (agent?.value.watchdogFailed === true) return 'requires a watchdog and cannot use it';
  if (!runs(member)) return `is "${state}"`;
  if (config.synchronous && !sync) return 'is no synchronous standby';
  if (lag === null) return 'has not told its position';
  if (lag > config.maximumLag)
    return `is ${formatBytes(lag)} behind, more than maximum_lag_on_failover (${formatBytes(config.maximumLag)})`;
  return null;
}
