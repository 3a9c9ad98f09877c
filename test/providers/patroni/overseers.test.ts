import {describe, expect, it} from 'vitest';
import {createOverseers} from '../../../src/lib/providers/patroni/overseers.ts';
import {clusterOf, type Script, scriptedWorld} from './scripted.ts';

/** What is said of three members that are well with `us` leading, but for what the script says. */
async function said(script: Script = {}): Promise<readonly string[]> {
  const world = await scriptedWorld(script);
  try {
    const findings = await createOverseers(world.ensemble).overseers(AbortSignal.timeout(10_000));
    expect(world.arrivals).toEqual([]);
    return findings.map(({check, verdict, says, member}) =>
      `${verdict} ${check}${member === undefined ? '' : ` (${member})`}: ${says}`.replaceAll(/127\.0\.0\.1:\d+/g, 'HOST'),
    );
  } finally {
    await world.close();
  }
}

const notable = async (script: Script): Promise<readonly string[]> => (await said(script)).filter((line) => !line.startsWith('pass'));
const only = async (check: string, script: Script): Promise<readonly string[]> =>
  (await said(script)).filter((line) => line.includes(` orders ${check}`));
const SYNC = {synchronous_mode: true};
const LISTED = {...clusterOf('us', {eu: {role: 'sync_standby'}})};

describe('what Patroni oversees', () => {
  it('is well when Patroni and the servers agree', async () => {
    expect(await said()).toEqual([
      'pass orders leader (us): us holds the leader key, and its server is the primary',
      'pass orders pause: the cluster is not paused',
      'pass orders rest: all 3 Patronis answer',
      'pass orders failsafe: failsafe_mode is off: without the DCS the primary steps down',
      'pass orders synchronous: the synchronous mode is off: a failover by Patroni may lose the last writes',
      'pass orders failover: Patroni could promote eu or ap now',
      'pass orders times: ttl 20 s, loop_wait 1 s, retry_timeout 3 s, maximum_lag_on_failover 1048576 bytes',
    ]);
  });

  it('cannot be told when no Patroni answers', async () => {
    const refuse = {patroni: 'refuse'} as const;
    const gone = (name: string): string =>
      `warning orders rest (${name}): Patroni of ${name} (http://HOST) refuses connections: one that does not answer the others either is not promoted`;
    expect(await said({members: {us: refuse, eu: refuse, ap: refuse}})).toEqual([
      'unknown orders leader: no Patroni tells who holds the leader key',
      ...['us', 'eu', 'ap'].map(gone),
    ]);
  });

  it('is blind when the Patronis answer and their DCS does not', async () => {
    expect(await notable({cluster: 'hang'})).toEqual([
      'unknown orders leader: no Patroni tells who holds the leader key',
      'error orders dcs: Patroni of us, eu and ap answers, and cannot tell its cluster: its DCS does not answer it in time',
    ]);
  });

  it('is led by nobody, by a stranger, or by a member whose server is no primary', async () => {
    expect(await only('leader', {cluster: clusterOf(null)})).toEqual(['error orders leader: nobody is listed with the leader key']);
    const cluster = clusterOf('sa', {}, ['us', 'eu', 'ap', 'sa']);
    expect(await only('leader', {cluster, members: {us: {server: {recovering: true}}}})).toEqual([
      'error orders leader (sa): sa holds the leader key, which the fleet file does not know',
    ]);
    expect(await only('leader', {members: {us: {server: {recovering: true}}}})).toEqual([
      'error orders leader (us): us holds the leader key, and its server is in recovery',
    ]);
    expect(await only('leader', {cluster: clusterOf('eu')})).toEqual([
      'error orders leader (eu): eu holds the leader key, and us answers as a primary',
    ]);
    expect(await only('leader', {members: {us: {server: 'refused'}}})).toEqual([
      'unknown orders leader (us): us holds the leader key, and its server could not be asked: us (db) is refused',
    ]);
    expect(await only('leader', {cluster: clusterOf('us', {us: {role: 'standby_leader'}})})).toEqual([
      'pass orders leader (us): us leads a standby cluster: there is no primary here',
    ]);
  });

  it('is paused: nobody is promoted', async () => {
    expect(await notable({cluster: {...clusterOf('us', {ap: {tags: {nofailover: true}}}), pause: true}})).toEqual([
      'warning orders pause: the cluster is paused: Patroni does not fail over by itself',
      'warning orders failover: Patroni promotes nobody while it is paused; else it could promote eu; ap is tagged nofailover',
    ]);
  });

  it('has a Patroni that hangs, one that nobody lists, and one that the fleet file does not know', async () => {
    const cluster = clusterOf('us', {}, ['us', 'eu', 'sa']);
    expect(await notable({cluster, members: {ap: {patroni: 'hang'}}})).toEqual([
      'warning orders rest (ap): Patroni of ap (http://HOST) did not answer within 1500 ms: one that does not answer the others either is not promoted',
      'warning orders member (ap): no Patroni lists ap',
      'warning orders member: Patroni lists sa, which the fleet file does not know',
    ]);
  });

  it('can promote nobody, and why', async () => {
    const cluster = clusterOf('us', {eu: {lag: 2_097_152}, ap: {state: 'stopped', lag: 'unknown'}});
    expect(await only('failover', {cluster})).toEqual([
      'error orders failover: Patroni could promote nobody now: eu is 2 MiB behind, more than maximum_lag_on_failover (1 MiB); ap is "stopped"',
    ]);
    expect(await only('failover', {cluster: clusterOf('us', {}, ['us'])})).toEqual([
      'error orders failover: Patroni lists no other member: it could promote nobody',
    ]);
    const members = {eu: {patroni: 'refuse'}, ap: {patroni: {watchdog_failed: true}}} as const;
    expect(await only('failover', {members})).toEqual([
      'error orders failover: Patroni could promote nobody now: eu has a Patroni that does not answer; ap requires a watchdog and cannot use it',
    ]);
    expect(await only('failover', {cluster: clusterOf('us', {eu: {role: 'sync_standby'}, ap: {lag: 0}}), config: SYNC})).toEqual([
      'pass orders failover: Patroni could promote eu now; ap is no synchronous standby',
    ]);
    expect(await only('failover', {cluster: clusterOf('us', {eu: {lag: 'unknown'}})})).toEqual([
      'pass orders failover: Patroni could promote ap now; eu has not told its position',
    ]);
  });

  it.each([
    [
      'error orders synchronous: the synchronous mode is strict, and Patroni counts nobody as synchronous: writes may wait for ever',
      {},
      true,
    ],
    ['warning orders synchronous: the synchronous mode is on, and there is no synchronous standby: writes wait for nobody', {}, false],
    [
      'error orders synchronous: the synchronous mode is on, and the primary does not wait for eu, which Patroni calls synchronous and would promote',
      {cluster: LISTED},
      false,
    ],
    [
      'pass orders synchronous: the synchronous mode is on: a write waits for 1 of eu',
      {cluster: LISTED, members: {us: {server: {syncNames: '"eu"'}}}},
      false,
    ],
    [
      'unknown orders synchronous: the synchronous mode is on, with eu; whom the primary waits for is not known: No primary of orders could be asked who must acknowledge a write',
      {cluster: LISTED, members: {us: {server: 'refused'}}},
      false,
    ],
  ] as const)('is synchronous: %s', async (says, script, strict) => {
    expect(await only('synchronous', {...script, config: {...SYNC, synchronous_mode_strict: strict}})).toEqual([says]);
  });

  it('waits for standbys that Patroni knows nothing of', async () => {
    expect(await only('synchronous', {members: {us: {server: {syncNames: 'ANY 1 ("eu","ap")'}}}})).toEqual([
      'warning orders synchronous: the synchronous mode is off, and the primary waits for eu and ap by a setting of its own: Patroni may promote one that lacks acknowledged writes',
    ]);
  });

  it('has lost its DCS, and says so', async () => {
    expect(await only('failsafe', {members: {us: {patroni: {failsafe_mode_is_active: true}}}, config: {failsafe_mode: true}})).toEqual([
      'warning orders failsafe: failsafe mode is active on us: the DCS does not answer, and the primary goes on only while every member agrees',
    ]);
    // A standby says so for a ttl after it was asked, whether or not that is over.
    const eu = {patroni: {failsafe_mode_is_active: true}};
    expect(await only('failsafe', {members: {eu}, config: {failsafe_mode: true}})).toEqual([
      'pass orders failsafe: failsafe mode was active less than a ttl ago, by eu: the DCS did not answer then, and does now',
    ]);
    expect(await only('failsafe', {members: {eu, us: {patroni: 'refuse'}}, config: {failsafe_mode: true}})).toEqual([
      'warning orders failsafe: failsafe mode is active on eu: the DCS does not answer, and the primary goes on only while every member agrees',
    ]);
    expect(await only('failsafe', {config: {failsafe_mode: true}})).toEqual([
      'pass orders failsafe: failsafe_mode is on, and not active: without the DCS the primary goes on as long as every member answers it',
    ]);
  });
});
