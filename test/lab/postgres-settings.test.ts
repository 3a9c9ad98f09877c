import {describe, expect, it} from 'vitest';
import {pgHba, postgresqlConf, primaryConninfo, publisherConninfo, withPrimaryConninfo} from '../../src/lab/postgres-settings.ts';
import {scramVerifier} from '../../src/lab/scram.ts';

const of = {profile: 'fast', mode: 'quorum', major: 18, member: 'us-east', others: ['eu-west', 'ap']} as const;

describe('postgresqlConf', () => {
  it('names the other members as the quorum', () => {
    expect(postgresqlConf(of)).toContain(`synchronous_standby_names = 'ANY 1 ("eu-west", "ap")'`);
    expect(postgresqlConf({...of, mode: 'async'})).toContain("synchronous_standby_names = ''");
  });

  it('knows which settings a version has', () => {
    expect(postgresqlConf(of)).toContain("io_method = 'sync'");
    expect(postgresqlConf({...of, major: 15})).not.toContain('io_method');
  });

  it('leaves the defaults of PostgreSQL in the profile stock', () => {
    const stock = postgresqlConf({...of, profile: 'stock'});
    for (const setting of ['fsync', 'wal_retrieve_retry_interval', 'wal_sender_timeout', 'shared_buffers'])
      expect(stock).not.toContain(setting);
  });
});

describe('the mode active-active', () => {
  const peer = {...of, mode: 'active-active'} as const;

  it('has room for subscriptions to six others in either profile, waits for nobody, and names its region', () => {
    for (const profile of ['fast', 'stock'] as const) {
      const conf = postgresqlConf({...peer, profile});
      const wanted = {wal_level: 'logical', track_commit_timestamp: 'on', max_worker_processes: '24', synchronous_standby_names: ''};
      for (const [name, value] of Object.entries({...wanted, 'shop.region': 'us-east'})) {
        const lines = conf.split('\n').filter((line) => line.startsWith(`${name} = `));
        expect(lines).toEqual([`${name} = '${value}'`]);
      }
    }
    expect(postgresqlConf(peer)).toContain('max_active_replication_origins');
    expect(postgresqlConf({...peer, major: 17})).not.toContain('max_active_replication_origins');
    expect(postgresqlConf(of)).not.toContain('shop.region');
  });

  it('lets subscriptions log in to the database, with a password that is in no conninfo', () => {
    expect(pgHba('active-active')).toMatch(/^host orders +replicator .*scram-sha-256$/m);
    expect(pgHba('quorum')).not.toMatch(/^host orders +replicator/m);
    expect(publisherConninfo(20_001, '/x/pgpass')).toBe(
      "host=127.0.0.1 port=20001 dbname=orders user=replicator passfile='/x/pgpass' connect_timeout=5",
    );
  });
});

describe('withPrimaryConninfo', () => {
  it('replaces the upstream and keeps the other settings', () => {
    const before = "# Do not edit\nprimary_conninfo = ''\nsynchronous_standby_names = 'ANY 1 (\"ap\")'\n";
    const after = withPrimaryConninfo(before, primaryConninfo(20_001, 'ap', '/x/pgpass'));
    expect(after.match(/primary_conninfo/g)).toHaveLength(1);
    expect(after).toContain('synchronous_standby_names = \'ANY 1 ("ap")\'');
    expect(after).toContain("application_name=''ap''");
    expect(after).not.toContain('password');
  });
});

describe('scramVerifier', () => {
  it('agrees with what PostgreSQL stores', () => {
    // The example of RFC 7677, in PostgreSQL's form.
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
    expect(scramVerifier('pencil', salt)).toBe(
      'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
    );
  });
});
