import type {Finding} from '../../ports/finding.ts';
import type {Reading} from './ensemble.ts';
import {finding, type Seen} from './fit-cluster.ts';
import type {Move} from './fit-picture.ts';
import {overwritesLeaderKey} from './version.ts';

/** What of the present or former leader speaks against a handover. */
export function judgeLeader(seen: Seen, {from, planned}: Move): readonly Finding[] {
  const leader = from ?? seen.view.leader;
  if (leader === null || seen.agents[leader] === undefined) return [];
  return planned ? judgePresent(seen, leader) : [...judgeFrozen(seen, leader), ...judgeOrphan(seen, leader)];
}

/** Only its own Patroni can take a leader down in an orderly way. */
function judgePresent(seen: Seen, leader: string): readonly Finding[] {
  const [agent, server] = [seen.agents[leader], seen.servers[leader]];
  const says =
    agent?.ok === false
      ? `the leader cannot hand over: ${agent.says}`
      : server?.ok === false
        ? `the leader cannot hand over: ${server.says}`
        : server?.ok === true && server.value.recovering
          ? `${leader} holds the leader key, but its server is in recovery`
          : null;
  return says === null ? [] : [finding(seen, 'leader', 'error', says, 'use a failover if the leader is lost', leader)];
}

/** What is left of a former leader, as seen from here. `frozen` = it may be, or it is cut off: nobody can tell from outside whether it comes back. */
type Remains = 'alive' | 'gone' | 'frozen' | 'orphan';

/** A process that is gone refuses connections, or its host says so; a silence may end. A standby has nothing to be feared for. */
function remainsOf({agents, servers, hosts}: Seen, leader: string): Remains {
  const [agent, server] = [agents[leader], servers[leader]];
  if (agent?.ok === true || (server?.ok === true && server.value.recovering)) return 'alive';
  if (hosts[leader] === false) return 'gone';
  if (!refuses(agent)) return 'frozen';
  return refuses(server) ? 'gone' : 'orphan';
}

const refuses = (reading: Reading<unknown> | undefined): boolean => reading?.ok === false && ['refused', 'reset'].includes(reading.code);

/**
 * Before 3.0.3 the leader of an etcd v3 cluster renews its key without a comparison. One that was frozen and comes back takes it from whoever
 * was promoted meanwhile, and its Patroni rewinds the other: everything that was acknowledged since is lost (seen in 5 of 10 runs).
 */
function judgeFrozen(seen: Seen, leader: string): readonly Finding[] {
  const {dcs} = seen.wanted;
  const version = seen.versions[leader] ?? null;
  const affected = overwritesLeaderKey(version) && (dcs === null || dcs === 'etcd3');
  if (!affected || remainsOf(seen, leader) !== 'frozen') return [];
  const etcd = dcs === null ? 'etcd v3 (the fleet file does not name the DCS, so the worst is assumed)' : 'etcd v3';
  const says =
    `${leader} hangs instead of refusing connections, so it may only be frozen. Patroni ${version ?? 'of an unknown version'} with ${etcd} lets a leader ` +
    'that comes back take the leader key from the new one, and everything that was acknowledged since is lost';
  const fix = `make sure that ${leader} cannot come back (power it off), give it a host in the fleet file that says so, and move to Patroni 3.0.3 or later`;
  return [finding(seen, 'version', 'error', says, fix, leader)];
}

/** Its Patroni is gone and its server is not: nobody takes it down when the leader key expires. */
function judgeOrphan(seen: Seen, leader: string): readonly Finding[] {
  if (remainsOf(seen, leader) !== 'orphan') return [];
  const runs = seen.servers[leader]?.ok === true ? 'still runs as a primary' : 'is not seen to be stopped';
  const says = `Patroni of ${leader} is gone and its server ${runs}: nobody will stop it when another one is promoted`;
  return [finding(seen, 'orphan', 'error', says, `start Patroni on ${leader} again, or stop its server`, leader)];
}
