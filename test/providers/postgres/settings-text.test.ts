import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {addressOf, buildConninfo, parseConninfo} from '../../../src/lib/providers/postgres/conninfo.ts';
import {closedLines, type HbaRule, isClosed} from '../../../src/lib/providers/postgres/hba.ts';
import {judgeSettings, type Settings} from '../../../src/lib/providers/postgres/inspect.ts';
import {quoteIdent, quoteLiteral} from '../../../src/lib/providers/postgres/sql.ts';
import {canFollow, parseHistory} from '../../../src/lib/providers/postgres/timeline.ts';
import {troubleOf} from '../../../src/lib/providers/postgres/trouble.ts';

describe('connection strings', () => {
  it('read back as they were written, whatever the values', () => {
    const value = fc.string({minLength: 1});
    fc.assert(
      fc.property(value, value, (host, passfile) => {
        expect(parseConninfo(buildConninfo({host, port: '5432', passfile}))).toEqual({host, port: '5432', passfile});
      }),
    );
  });

  it('are read as libpq writes them, and an odd one leads nowhere', () => {
    expect(parseConninfo(String.raw`host = 'a b'  port=5433 x='it\'s'`)).toEqual({host: 'a b', port: '5433', x: "it's"});
    expect(addressOf('host=10.0.0.1 port=5433 user=r')).toEqual({host: '10.0.0.1', port: 5433});
    expect(addressOf('host=db')).toEqual({host: 'db', port: 5432});
    for (const text of ['', 'user=x', 'host=a,b port=1,2', "host='broken"]) expect(addressOf(text)).toBeNull();
  });
});

describe('quoting', () => {
  it('keeps quotes and backslashes inside, and refuses control characters', () => {
    expect(quoteIdent('a"b')).toBe('"a""b"');
    expect(quoteLiteral("it's")).toBe("'it''s'");
    expect(quoteLiteral(String.raw`a\'b`)).toBe(String.raw`E'a\\''b'`);
    expect(() => quoteLiteral('a\nb')).toThrow(/control character/);
  });
});

describe('the closed pg_hba file', () => {
  const rule = (database: string, user: string, method: string): HbaRule => ({
    type: 'host',
    database: [database],
    users: [user],
    address: 'all',
    method,
    error: null,
  });
  const closed = [
    rule('all', 'regionctl', 'scram-sha-256'),
    rule('replication', 'replicator', 'scram-sha-256'),
    rule('all', 'all', 'reject'),
  ];

  it('has three rules, with names quoted', () => {
    expect(closedLines('re"gion', 'replicator').filter((line) => !line.startsWith('#'))).toEqual([
      'host all "re""gion" all scram-sha-256',
      'host replication "replicator" all scram-sha-256',
      'host all all all reject',
    ]);
  });

  it('is recognized, and nothing that lets one more in is taken for it', () => {
    expect(isClosed(closed, 'regionctl', 'replicator')).toBe(true);
    expect(isClosed(closed.slice(0, 2), 'regionctl', 'replicator')).toBe(false);
    expect(isClosed([rule('all', 'app', 'trust'), ...closed], 'regionctl', 'replicator')).toBe(false);
    expect(isClosed(closed, 'another', 'replicator')).toBe(false);
    expect(
      isClosed(
        closed.map((each) => ({...each, error: 'broken'})),
        'regionctl',
        'replicator',
      ),
    ).toBe(false);
  });
});

describe('timelines', () => {
  const forks = parseHistory('1\t0/3000000\tno recovery target specified\n2\t1/40\tx\n\nnonsense\n');
  const at = (epoch: number, offset: bigint, lineage = '7') => ({lineage, epoch, offset: String(offset)});

  it('lets a standby follow only within the history of its upstream', () => {
    expect([...forks]).toEqual([
      [1, 0x3000000n],
      [2, 0x100000040n],
    ]);
    const upstream = at(3, 0x200000000n);
    expect(canFollow(at(1, 0x3000000n), upstream, forks)).toBe(true);
    expect(canFollow(at(1, 0x3000001n), upstream, forks)).toBe(false);
    expect(canFollow(at(2, 0x50n), upstream, forks)).toBe(true);
    expect(canFollow(at(3, 0x200000001n), upstream, forks)).toBe(false);
    expect(canFollow(at(4, 1n), upstream, forks)).toBe(false);
    expect(canFollow(at(3, 1n, '8'), upstream, forks)).toBe(false);
  });
});

describe('trouble', () => {
  const failure = (code: string) => Object.assign(new Error('it failed'), {code});
  it.each([
    ['ECONNREFUSED', 'refused'],
    ['ECONNRESET', 'reset'],
    ['28P01', 'auth'],
    ['57P03', 'starting'],
    ['57014', 'timeout'],
    ['ENOTFOUND', 'dns'],
    ['42501', 'privilege'],
    ['XX000', 'sql'],
    ['53300', 'exhausted'],
  ])('%s is %s', (code, want) => {
    expect(troubleOf(failure(code)).code).toBe(want);
    expect(troubleOf(new AggregateError([failure(code)])).code).toBe(want);
  });

  it('knows what pg gives no code', () => {
    expect(troubleOf(new Error('timeout expired')).code).toBe('timeout');
    expect(troubleOf(new Error('Query read timeout')).code).toBe('timeout');
    expect(troubleOf(new Error('Connection terminated unexpectedly')).code).toBe('reset');
  });
});

describe('settings', () => {
  const good: Settings = {
    version: 18,
    superuser: true,
    scram: true,
    mayAlter: true,
    retryMs: 100,
    senders: 10,
    targetTimeline: 'latest',
    syncCommit: 'on',
    hbaError: null,
    replicates: true,
    conninfo: null,
    clusterName: '',
  };
  const cluster = {store: 'orders', user: 'regionctl', replicationUser: 'replicator', nodes: new Map()};
  const judge = (change: Partial<Settings>) => judgeSettings(cluster, {name: 'us'}, {...good, ...change});

  it('says what a failover would stumble over', () => {
    expect(judge({})).toMatchObject([{verdict: 'pass'}]);
    expect(judge({retryMs: 5000})).toMatchObject([{verdict: 'warning', says: expect.stringContaining('5000 ms')}]);
    expect(judge({superuser: false, replicates: null})).toMatchObject([
      {verdict: 'error'},
      {verdict: 'error', says: expect.stringContaining('does not exist')},
    ]);
  });

  it('warns of a standby that connects under another name than its own', () => {
    const under = (conninfo: string, clusterName = '') => judge({conninfo, clusterName});
    expect(under('host=db application_name=US')).toMatchObject([{verdict: 'pass'}]);
    expect(under('host=db', 'us')).toMatchObject([{verdict: 'pass'}]);
    expect(under(''), 'it follows nobody').toMatchObject([{verdict: 'pass'}]);
    for (const [conninfo, clusterName, name] of [
      ['host=db application_name=replica-1', 'us', 'replica-1'],
      ['host=db', 'main', 'main'],
      ['host=db', '', 'walreceiver'],
    ] as const)
      expect(under(conninfo, clusterName)).toEqual([
        {
          ...{check: 'orders us application_name', verdict: 'warning', member: 'us'},
          says: `it connects as ${name}: its primary cannot tell that it is us, nor wait for it`,
          fix: 'set application_name=us in its primary_conninfo',
        },
      ]);
  });
});
