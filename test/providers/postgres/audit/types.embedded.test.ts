import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type Servers, startServers} from '../../../servers/embedded.ts';
import {type AuditWorld, openPair} from './audit-world.ts';
import {TYPE_VALUES, UNREADABLE} from './type-values.ts';
import {expectTypesToldApart} from './types-apart.ts';

describe('single values of every type', () => {
  let servers: Servers;
  let world: AuditWorld;
  beforeAll(async () => {
    servers = await startServers(['one']);
    const [server] = servers.all as [Servers['all'][number]];
    world = await openPair(server, server, 'types');
  });
  afterAll(async () => {
    await world?.end();
    await servers?.end();
  });

  it('has values of every built-in type that can be a column', async () => {
    const types = await world.on(
      'a',
      `select typname from pg_type t where typnamespace = 'pg_catalog'::regnamespace and typtype in ('b', 'r', 'm', 'e', 'd') and (typcategory <> 'A' or typname !~ '^_')`,
    );
    expect(types.map(({typname}) => typname as string).toSorted()).toEqual([...Object.keys(TYPE_VALUES), ...UNREADABLE].toSorted());
  });

  it('tells every two values apart, and calls no two equal ones different', async () => {
    const {says} = await expectTypesToldApart(world);
    expect(says).toContain('hashed by the functions of their types');
  });
});
