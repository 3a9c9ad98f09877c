import {describe, expect, it} from 'vitest';
import {outcomeOf} from '../../../src/kit/contracts/runner.ts';
import {builtinProviders} from '../../../src/lib/providers/builtin.ts';
import type {StoreProvider} from '../../../src/lib/providers/define.ts';
import {testContext} from '../postgres/open-store.ts';

const provider = builtinProviders.find(({port, kind}) => port === 'store' && kind === 'patroni') as StoreProvider;
/** A reference to the environment, as the fleet file has it. */
const env = (name: string): string => `$${`{env:${name}}`}`;
const STORE = {database: 'orders', user: 'regionctl', password: env('PGPASSWORD'), replicationUser: 'replicator'};
const member = (rest: string) => ({address: '10.0.0.1:5432', rest});

describe('the fleet file of a store that Patroni runs', () => {
  it('needs no more than one of PostgreSQL and the REST APIs', () => {
    expect(provider.schema.parse(STORE)).toMatchObject({watchdog: 'off'});
    expect(provider.memberSchema.parse(member('https://10.0.0.1:8008'))).toMatchObject({rest: 'https://10.0.0.1:8008'});
    expect(provider.memberSchema.safeParse({address: '10.0.0.1:5432'}).success).toBe(false);
  });

  it('takes what the REST API does not tell', () => {
    const more = {scope: 'orders', dcs: 'etcd3', watchdog: 'required', restUser: 'operator', restPassword: env('REST')};
    expect(provider.schema.safeParse({...STORE, ...more}).success).toBe(true);
    expect(provider.schema.safeParse({...STORE, dcs: 'postgres'}).success).toBe(false);
    expect(provider.schema.safeParse({...STORE, watchdogs: 'required'}).success).toBe(false);
  });

  it.each([{restUser: 'operator'}, {restPassword: env('REST')}])('wants user and password together: %o', (half) => {
    expect(provider.schema.safeParse({...STORE, ...half}).error?.issues[0]?.message).toBe('restUser and restPassword belong together');
  });

  it('takes TLS for the servers as a store of PostgreSQL does', () => {
    const secure = {tls: true, serverName: 'db', ca: 'ca.pem', cert: 'me.pem', key: env('KEY')};
    expect(provider.schema.safeParse({...STORE, ...secure}).success).toBe(true);
    const messageOf = (more: object) => provider.schema.safeParse({...STORE, ...more}).error?.issues.map(({message}) => message);
    expect(messageOf({ca: 'ca.pem', restUser: 'operator'})).toEqual([
      'ca is of no use without tls: true',
      'restUser and restPassword belong together',
    ]);
    expect(messageOf({tls: true, cert: 'me.pem'})).toEqual(['cert is of no use without key']);
  });

  it('takes the password by reference only', () => {
    expect(provider.schema.safeParse({...STORE, restUser: 'operator', restPassword: 'hunter2'}).success).toBe(false);
  });

  const open = (rests: Readonly<Record<string, string>>) =>
    provider.create(
      {
        ...{name: 'orders', quorum: 0, config: provider.schema.parse(STORE)},
        members: Object.entries(rests).map(([name, rest]) => ({
          name,
          region: name,
          host: null,
          config: provider.memberSchema.parse(member(rest)),
        })),
      },
      testContext,
    );

  it('has one Patroni for each member', async () => {
    const outcome = await outcomeOf(() => open({us: 'http://10.0.0.1:8008', eu: 'http://10.0.0.1:8008/'}));
    expect(outcome).toMatchObject({code: 'fleet-invalid', exit: 78});
  });

  it('has no ability to act around Patroni', async () => {
    const store = await open({us: 'http://10.0.0.1:8008', eu: 'http://10.0.0.2:8008'});
    const {seal, promote, follow, durability, manage, timings} = store.abilities;
    expect([store.engine, store.manager]).toEqual(['patroni', 'patroni']);
    expect([seal, promote, follow, durability]).toEqual([undefined, undefined, undefined, undefined]);
    expect([typeof manage?.handover, typeof manage?.fit, typeof timings?.timings]).toEqual(['function', 'function', 'function']);
    await store.close();
  });
});
