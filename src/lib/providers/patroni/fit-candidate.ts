import type {Finding} from '../../ports/finding.ts';
import type {ListedMember} from './answers.ts';
import {finding, type Seen} from './fit-cluster.ts';
import type {Move} from './fit-picture.ts';

/** What of the candidate speaks against a handover. */
export function judgeCandidate(seen: Seen, move: Move): readonly Finding[] {
  const {to} = move;
  const listed = seen.view.members.find(({name}) => name === to);
  if (listed === undefined) {
    const names = seen.view.members.map(({name}) => name).join(', ');
    const says = `Patroni does not list ${to}; its members are ${names || 'none'}`;
    return [
      finding(seen, 'candidate', 'error', says, `start Patroni on ${to}; the fleet file must call members what Patroni calls them`, to),
    ];
  }
  return [
    ...judgeAnswers(seen, move),
    ...judgeListed(seen, listed),
    ...judgeSynchronous(seen, listed),
    ...judgeLag(seen, listed, move),
    ...judgeRestart(seen, listed),
  ];
}

/** Patroni promotes only who answers, and its word of a state is as old as its last turn: the server is asked, too. */
function judgeAnswers(seen: Seen, {to, planned}: Move): readonly Finding[] {
  const [agent, server] = [seen.agents[to], seen.servers[to]];
  const error = (says: string, fix: string | null = null): readonly Finding[] => [finding(seen, 'candidate', 'error', says, fix, to)];
  if (agent?.ok !== true) return error(`the candidate cannot be promoted: ${agent?.says ?? `${to} was not asked`}`);
  if (agent.value.watchdogFailed)
    return error(`${to} requires a watchdog and cannot use it: Patroni does not promote it`, 'make its watchdog device usable');
  if (server?.ok !== true) return error(`the candidate cannot be promoted: ${server?.says ?? `${to} was not asked`}`);
  if (!server.value.recovering)
    return error(`the server of ${to} is a primary, but ${to} does not hold the leader key`, 'regionctl status');
  return planned && !server.value.streaming ? error(`${to} does not stream from anybody: it would lack what was written last`) : [];
}

function judgeListed(seen: Seen, {name, state, nofailover}: ListedMember): readonly Finding[] {
  const runs = ['running', 'streaming'].includes(state);
  return [
    ...(runs ? [] : [finding(seen, 'candidate', 'error', `Patroni says that ${name} is "${state}", not running`, 'patronictl list', name)]),
    ...(nofailover
      ? [
          finding(
            seen,
            'nofailover',
            'error',
            `${name} is tagged nofailover: Patroni does not promote it`,
            `take the tag off, or choose another member`,
            name,
          ),
        ]
      : []),
  ];
}

/** In synchronous mode only a synchronous standby holds everything that was acknowledged. */
function judgeSynchronous(seen: Seen, {name, sync}: ListedMember): readonly Finding[] {
  if (!seen.config.synchronous || sync) return [];
  const others = seen.view.members.filter((member) => member.sync).map((member) => member.name);
  const says = `the cluster is synchronous and ${name} is no synchronous standby (${others.length === 0 ? 'there is none' : others.join(', ')}): it may lack acknowledged writes`;
  return [
    finding(
      seen,
      'synchronous',
      'error',
      says,
      others.length === 0 ? 'wait for a synchronous standby' : `move to ${others.join(' or ')}`,
      name,
    ),
  ];
}

/** A leader that is well refuses to hand over to one that is too far behind; without a leader Patroni promotes a named candidate all the same. */
function judgeLag(seen: Seen, {name, lag}: ListedMember, {planned}: Move): readonly Finding[] {
  const {maximumLag} = seen.config;
  if (lag === null) {
    const says = `Patroni does not know how far ${name} is behind`;
    const fix = `a member that was just started tells its position on its next turn: try again in ${seen.config.loopWait} s`;
    return planned ? [finding(seen, 'lag', 'unknown', says, fix, name)] : [];
  }
  if (lag <= maximumLag) return [];
  const says = `${name} is ${lag} bytes behind, more than maximum_lag_on_failover (${maximumLag})`;
  return [finding(seen, 'lag', planned ? 'error' : 'warning', says, 'wait until it has caught up, or choose another member', name)];
}

function judgeRestart(seen: Seen, {name, pendingRestart}: ListedMember): readonly Finding[] {
  const agent = seen.agents[name];
  const pending = pendingRestart || (agent?.ok === true && agent.value.pendingRestart);
  const says = `${name} waits for a restart: as the primary it would run with old settings`;
  return pending ? [finding(seen, 'pending-restart', 'warning', says, `patronictl restart`, name)] : [];
}
