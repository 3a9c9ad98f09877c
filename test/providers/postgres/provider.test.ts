import {describe, expect, it} from 'vitest';
import {builtinProviders} from '../../../src/lib/providers/builtin.ts';

/** A reference to the environment, as the fleet file has it. */
const env = (name: string): string => `$${`{env:${name}}`}`;
const LOGIN = {database: 'orders', user: 'regionctl', password: env('PGPASSWORD')};
const PARTS = {store: {...LOGIN, replicationUser: 'replicator'}, probe: {...LOGIN, host: '10.0.0.1', port: 5432}};

it('has nothing of a primary in a store of peers', () => {
  const schema = builtinProviders.find((each) => each.port === 'store' && each.kind === 'postgres')?.schema;
  const parse = (more: object) => schema?.safeParse({...PARTS.store, peers: true, ...more});
  expect(parse({heartbeat: false})?.data).toMatchObject({peers: true});
  for (const [key, value] of Object.entries({heartbeat: true, witness: {user: 'w', password: env('W')}}))
    expect(parse({[key]: value})?.error?.issues).toMatchObject([{path: [key], message: expect.stringContaining('there is none')}]);
});

describe.each(['store', 'probe'] as const)('the fleet file of a postgres %s', (port) => {
  const provider = builtinProviders.find((each) => each.port === port && each.kind === 'postgres');
  const parse = (more: object) => provider?.schema.safeParse({...PARTS[port], ...more});

  it('has no TLS unless it is asked for', () => {
    expect(parse({})?.data).toMatchObject({tls: false});
    const secure = {tls: true, serverName: 'db', ca: 'ca.pem', cert: 'me.pem', key: env('KEY')};
    expect(parse(secure)?.data).toMatchObject({tls: true, serverName: 'db', ca: 'ca.pem', cert: 'me.pem'});
  });

  it.each([
    [{ca: 'ca.pem', tls: false}, 'ca is of no use without tls: true'],
    [{serverName: 'db'}, 'serverName is of no use without tls: true'],
    [{tls: true, cert: 'me.pem'}, 'cert is of no use without key'],
    [{tls: true, key: env('KEY')}, 'key is of no use without cert'],
  ])('refuses %j', (more, message) => {
    expect(parse(more)?.error?.issues.map((issue) => issue.message)).toEqual([message]);
  });

  it('has no word for a certificate that is not verified', () => {
    for (const more of [{sslmode: 'require'}, {rejectUnauthorized: false}, {tls: 'no-verify'}]) expect(parse(more)?.success).toBe(false);
  });
});
