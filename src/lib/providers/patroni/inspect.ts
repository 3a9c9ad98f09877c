import type {Finding} from '../../ports/finding.ts';
import {inspect as inspectServers} from '../postgres/inspect.ts';
import type {DynamicConfig} from './answers.ts';
import type {Ensemble} from './ensemble.ts';
import {finding, judgeFencing, judgeScope} from './fit-cluster.ts';
import {type Picture, takePicture} from './fit-picture.ts';
import {overwritesLeaderKey} from './version.ts';

/** What regionctl needs only where it closes servers and changes their settings by itself: Patroni does all that. */
const NOT_NEEDED = ['password', 'alter-system', 'application_name'] as const;

/** Settings of the servers (default: all) as for any PostgreSQL, and what Patroni says of itself. Reads only. */
export async function inspect(ensemble: Ensemble, signal: AbortSignal, members?: readonly string[]): Promise<readonly Finding[]> {
  const [servers, picture] = await Promise.all([inspectServers(ensemble.cluster, signal, members), takePicture(ensemble, signal)]);
  const kept = servers.filter(({check}) => !NOT_NEEDED.some((name) => check.endsWith(` ${name}`))).map((each) => asReader(ensemble, each));
  const asked = ensemble.peers.filter(({name}) => members === undefined || members.includes(name));
  const bare = asked.filter(({name}) => !kept.some(({member}) => member === name));
  const fine = bare.map(({name}) => finding(ensemble, `${name} settings`, 'pass', 'PostgreSQL is set up for a failover', null, name));
  return [...kept, ...fine, ...judgePatroni(picture)];
}

/** The role only reads here. */
function asReader({cluster}: Ensemble, found: Finding): Finding {
  if (!found.check.endsWith(' role')) return found;
  return {...found, verdict: 'warning', says: `${cluster.user} is no superuser: what it may not read is unknown`};
}

/** What `doctor` says of the Patronis and their settings. What they say of the cluster is told by its overseers. */
export function judgePatroni(picture: Picture): readonly Finding[] {
  const {config} = picture;
  return [
    ...Object.keys(picture.agents).flatMap((name) => judgeAgent(picture, name)),
    ...judgeScope(picture),
    ...(config.ok ? judgeTimes(picture, config.value) : [finding(picture, 'patroni', 'unknown', config.says, null)]),
    ...(config.ok ? [judgeFencing({...picture, config: config.value})] : []),
  ];
}

function judgeAgent(picture: Picture, name: string): readonly Finding[] {
  const agent = picture.agents[name];
  const {dcs} = picture.wanted;
  if (agent?.ok !== true) return [finding(picture, `${name} patroni`, 'unknown', agent?.says ?? `${name} was not asked`, null, name)];
  const {version, watchdogFailed, pendingRestart} = agent.value;
  const old = overwritesLeaderKey(version) && (dcs === null || dcs === 'etcd3');
  return [
    finding(picture, `${name} patroni`, 'pass', `Patroni ${version ?? 'of an unknown version'} answers`, null, name),
    ...(old ? [finding(picture, `${name} patroni-version`, 'warning', oldSays(version, dcs), 'move to Patroni 3.0.3 or later', name)] : []),
    ...(watchdogFailed
      ? [
          finding(
            picture,
            `${name} watchdog`,
            'warning',
            'requires a watchdog and cannot use it: it is never promoted',
            'make its device usable',
            name,
          ),
        ]
      : []),
    ...(pendingRestart
      ? [finding(picture, `${name} restart`, 'warning', 'waits for a restart to take its settings', 'patronictl restart', name)]
      : []),
  ];
}

const oldSays = (version: string | null, dcs: string | null): string =>
  `Patroni ${version ?? 'of an unknown version'} with ${dcs ?? 'an unknown DCS'}: a leader that was frozen takes the key back, so a failover from one that hangs is refused`;

/** The rule of Patroni's documentation: with less, one slow answer of the DCS costs the leader its key. */
function judgeTimes(picture: Picture, {ttl, loopWait, retryTimeout}: DynamicConfig): readonly Finding[] {
  const least = loopWait + 2 * retryTimeout;
  const says = `ttl is ${ttl} s, less than loop_wait + 2 * retry_timeout (${least} s): a slow DCS costs the leader its key`;
  return ttl >= least ? [] : [finding(picture, 'ttl', 'warning', says, `set ttl to ${least} or more`)];
}
