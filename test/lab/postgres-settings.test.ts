import {describe, expect, it} from 'vitest';
import {postgresqlConf, primaryConninfo, withPrimaryConninfo} from '../../src/lab/postgres-settings.ts';
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
