import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type Servers, startServers} from '../../../servers/embedded.ts';
import {type AuditWorld, openPair, readTable} from './audit-world.ts';
import {casesOf, typeColumns, typesSql} from './type-cases.ts';
import {TYPE_VALUES, UNREADABLE} from './type-values.ts';

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
    const types = Object.keys(TYPE_VALUES);
    const cases = casesOf('types', typeColumns(types));
    await world.both(`${typesSql(types)}; ${cases.create}`);
    await world.each(cases.a, cases.b);
    const seen = await readTable(world, 'public.types');
    const say = (keys: readonly string[]): readonly string[] => keys.map((key) => cases.of.get(key) ?? key);
    expect(say(cases.differ.filter((key) => !seen.keys.includes(key)))).toEqual([]);
    expect(say(seen.keys.filter((key) => !cases.differ.includes(key)))).toEqual([]);
    expect(seen.rows).toBe(cases.of.size);
  });
});
