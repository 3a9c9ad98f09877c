import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type Programs, type Server, type Servers, startServers} from '../../../servers/embedded.ts';
import {type AuditWorld, openPair} from './audit-world.ts';
import {expectTypesToldApart} from './types-apart.ts';

/** Folders of programs by major: `npm run test:majors` says where. */
const majors = Object.entries(JSON.parse(process.env.REGIONCTL_MAJORS ?? '{}') as Record<string, string>);
const programsIn = (bin: string): Programs => ({initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres'), lacks: ['io_method']});

describe.each(majors)('PostgreSQL %s', (_, bin) => {
  describe.each([
    ['another of its major', programsIn(bin), 'hashed by the functions of their types'],
    ['18', undefined, 'hashed as they are printed'],
  ] as const)('against %s', (name, other, how) => {
    let servers: readonly Servers[] = [];
    let world: AuditWorld;
    beforeAll(async () => {
      servers = [await startServers(['one'], programsIn(bin)), await startServers(['two'], other)];
      const [one, two] = servers.map(({all}) => all[0] as Server);
      world = await openPair(one as Server, two as Server, name === '18' ? 'across' : 'within');
    });
    afterAll(async () => {
      await world?.end();
      for (const each of servers) await each.end();
    });

    it('every two values are told apart, and no two equal ones called different', async () => {
      expect((await expectTypesToldApart(world)).says).toContain(how);
    });
  });
});
