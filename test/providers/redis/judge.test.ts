import {describe, expect, it} from 'vitest';
import {infoOf} from '../../../src/lib/providers/redis/info.ts';
import {judge, type Wanted} from '../../../src/lib/providers/redis/judge.ts';
import {cutOff, infoText, PRIMARY, STANDBY} from './info-text.ts';

const judged = (fields: Readonly<Record<string, string | number>>, wanted: Partial<Wanted> = {}) =>
  judge(infoOf(infoText(fields)), {expect: 'any', ...wanted}, 1.25);

describe('what a Redis says', () => {
  it('is told in facts', () => {
    const memory = {usedMemoryBytes: 1024 * 1024, maxMemoryBytes: null};
    expect(judged(PRIMARY)).toEqual({
      ...{ok: true, latencyMs: 1.25, code: 'ok', detail: 'Answered as primary in 1.3 ms.'},
      facts: {
        ...{role: 'primary', version: '7.0.15', offset: 1000, ...memory},
        ...{replicas: 2, onlineReplicas: 2, replicaLagMs: 3000, replicaBehindBytes: 20},
      },
    });
    expect(judged({...STANDBY, maxmemory: 2048}).facts).toEqual({
      ...{role: 'standby', version: '7.0.15', offset: 990, ...memory, maxMemoryBytes: 2048},
      ...{primary: '10.0.0.1:6379', link: 'up', replicationAgeMs: 2000},
    });
  });

  it('may be that it is a standby with standbys of its own', () => {
    const middle = {...STANDBY, slave0: PRIMARY.slave0};
    expect(judged(middle, {minReplicas: 2})).not.toHaveProperty('warning');
    expect(judged(middle).facts).toMatchObject({role: 'standby', link: 'up', replicas: 1, replicaBehindBytes: 10});
  });

  it('is shown on one line, and tells a terminal nothing', () => {
    const odd = judged({...cutOff(6), master_host: '\u001b[2Jhost\u009b\u0007', redis_version: `\u001b]0;x\u0007${'9'.repeat(999)}`});
    expect(odd.warning?.says).toBe('Its link to its primary ?[2Jhost??:6379 has been down for 6 s.');
    expect(odd.facts).toMatchObject({version: `?]0;x?${'9'.repeat(94)}`, primary: '?[2Jhost??:6379'});
    expect(judged({role: '\u001b[2Jmaster'}).detail).toBe('Answered as "?[2Jmaster", which is neither primary nor standby.');
  });

  it('may use the newer name of a role', () => {
    expect(judged({...STANDBY, role: 'replica'}, {expect: 'standby'})).toMatchObject({ok: true, facts: {role: 'standby'}});
  });

  it.each<[string, Readonly<Record<string, string | number>>, Partial<Wanted>, string, string]>([
    ['the wrong role', PRIMARY, {expect: 'standby'}, 'wrong-role', 'Answered as primary, expected standby.'],
    [
      'the wrong role above all',
      cutOff(99),
      {expect: 'primary', maxReplicationAge: 1},
      'wrong-role',
      'Answered as standby, expected primary.',
    ],
    ['loading', {...PRIMARY, loading: 1}, {}, 'starting', 'It is loading its data.'],
    [
      'loading, with how far',
      {...PRIMARY, loading: 1, loading_loaded_perc: '41.20', loading_eta_seconds: 3},
      {expect: 'standby'},
      'starting',
      'It is loading its data: 41.20 % are done, 3 s to go.',
    ],
    ['no role', {redis_version: '7.0.15'}, {}, 'unexpected-answer', 'Answered without a role.'],
    [
      'a role of its own',
      {role: 'active-replica'},
      {},
      'unexpected-answer',
      'Answered as "active-replica", which is neither primary nor standby.',
    ],
    ['a Sentinel', {redis_mode: 'sentinel'}, {}, 'unexpected-answer', 'Answered as a Sentinel, which has no role.'],
    [
      'a silent primary',
      {...STANDBY, master_last_io_seconds_ago: 6},
      {maxReplicationAge: 5000},
      'replication-late',
      'It last heard from its primary 10.0.0.1:6379 6 s ago; at most 5 s is wanted.',
    ],
    [
      'a link that is down for too long',
      cutOff(6),
      {maxReplicationAge: 5000},
      'replication-late',
      'It has had no link to its primary 10.0.0.1:6379 for 6 s; at most 5 s is wanted.',
    ],
    ['no link ever', cutOff(-1), {maxReplicationAge: 5000}, 'replication-late', 'It has never had a link to its primary 10.0.0.1:6379.'],
  ])('is unhealthy: %s', (_name, fields, wanted, code, detail) => {
    expect(judged(fields, wanted)).toMatchObject({ok: false, code, detail});
    expect(judged(fields, wanted)).not.toHaveProperty('warning');
  });

  it.each<[string, Readonly<Record<string, string | number>>, Partial<Wanted>, string, string]>([
    ['a link that is down', cutOff(6), {}, 'replication-link', 'Its link to its primary 10.0.0.1:6379 has been down for 6 s.'],
    [
      'and not for too long',
      cutOff(5),
      {maxReplicationAge: 5000},
      'replication-link',
      'Its link to its primary 10.0.0.1:6379 has been down for 5 s.',
    ],
    [
      'a copy under way',
      {...cutOff(-1), master_sync_in_progress: 1},
      {},
      'replication-link',
      'It has never had a link to its primary 10.0.0.1:6379: it is copying all of its data.',
    ],
    [
      'a link that it does not tell of',
      {role: 'slave', master_host: 'a', master_port: 1},
      {},
      'replication-link',
      'It does not say how its link to its primary a:1 is.',
    ],
    [
      'an age that it does not tell',
      {...STANDBY, master_last_io_seconds_ago: 'soon'},
      {maxReplicationAge: 5000},
      'replication-link',
      'It does not say when it last heard from its primary 10.0.0.1:6379.',
    ],
    ['too few standbys', PRIMARY, {minReplicas: 3}, 'replicas', '2 standbys are online; at least 3 are wanted.'],
    [
      'one that is not online',
      {...PRIMARY, slave1: 'ip=10.0.0.3,port=6379,state=wait_bgsave,offset=0,lag=0'},
      {minReplicas: 2},
      'replicas',
      '1 standby is online; at least 2 are wanted.',
    ],
    [
      'one that is silent',
      PRIMARY,
      {minReplicas: 2, maxReplicationAge: 2000},
      'replicas',
      '1 standby is online and heard from within 2 s; at least 2 are wanted.',
    ],
    [
      'a snapshot that failed',
      {...PRIMARY, rdb_last_bgsave_status: 'err'},
      {},
      'persistence',
      'Its last snapshot to disk failed: unless stop-writes-on-bgsave-error is off it takes no write.',
    ],
    [
      'an append-only file that cannot be written',
      {...PRIMARY, aof_last_write_status: 'err'},
      {},
      'persistence',
      'Its last write to the append-only file failed: it takes no write.',
    ],
    [
      'or not be rewritten',
      {...PRIMARY, aof_last_bgrewrite_status: 'err'},
      {},
      'persistence',
      'Its last rewrite of the append-only file failed.',
    ],
    [
      'too much memory',
      {...PRIMARY, maxmemory: 1024 * 1200},
      {maxMemory: 85},
      'memory',
      'It uses 1 MiB of 1.2 MiB of memory (85.3 %); at most 85 % are wanted.',
    ],
    [
      'memory without a limit',
      PRIMARY,
      {maxMemory: 85},
      'memory',
      'It uses 1 MiB of memory and has no maxmemory; at most 85 % of it are wanted.',
    ],
    [
      'memory that it does not tell of',
      {role: 'master'},
      {maxMemory: 85},
      'memory',
      'It does not say how much memory it uses, or may use.',
    ],
  ])('is a warning: %s', (_name, fields, wanted, code, says) => {
    expect(judged(fields, wanted)).toMatchObject({ok: true, code: 'ok', warning: {code, says}});
  });

  it('is well as long as nothing goes beyond what is wanted', () => {
    const primary = {expect: 'primary', minReplicas: 2, maxReplicationAge: 3000, maxMemory: 50} as const;
    expect(judged({...PRIMARY, maxmemory: 2 * 1024 * 1024}, primary)).not.toHaveProperty('warning');
    expect(judged(STANDBY, {expect: 'standby', maxReplicationAge: 2000, minReplicas: 1})).not.toHaveProperty('warning');
  });

  it('has room for a warning from elsewhere, after its own', () => {
    const late = {code: 'certificate-expires', says: 'soon'};
    const [well, worse] = [infoOf(infoText(PRIMARY)), infoOf(infoText({...PRIMARY, rdb_last_bgsave_status: 'err'}))];
    expect(judge(well, {expect: 'any'}, 1, late).warning).toEqual(late);
    expect(judge(worse, {expect: 'any'}, 1, late).warning?.code).toBe('persistence');
    expect(judge(well, {expect: 'standby'}, 1, late)).not.toHaveProperty('warning');
  });
});
