import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {hostContract} from '../../../src/kit/testing.ts';
import {type DebianFleet, noPostgres15, startDebianFleet} from '../../servers/debian.ts';
import {openByHand} from './open-by-hand.ts';
import {signal} from './open-store.ts';

// The host of a standby of Debian's PostgreSQL 15, by the commands of a fleet file.
describe.skipIf(noPostgres15 !== null)(
  `the exec host of PostgreSQL 15${noPostgres15 === null ? '' : ` (skipped: ${noPostgres15})`}`,
  () => {
    let fleet: DebianFleet;
    let opened: Awaited<ReturnType<typeof openByHand>>;
    beforeAll(async () => {
      fleet = await startDebianFleet({members: ['us-east', 'eu-west'], quorum: 0, links: true});
      opened = await openByHand(fleet);
    });
    afterAll(async () => {
      await opened?.close();
      await fleet?.end();
    });

    const ask = <T>(sql: string, otherwise: T): Promise<T> =>
      fleet.servers['eu-west']!.sql<{answer: T & string}>(sql).then(
        ([row]) => row?.answer ?? otherwise,
        () => otherwise,
      );

    hostContract({describe, it, expect}, async () => ({
      host: await opened.host('eu-west'),
      upstream: 'us-east',
      isRunningFromOutside: () => ask('select true as answer', false),
      isFollowingFromOutside: async () =>
        (await ask(`select sender_port as answer from pg_stat_wal_receiver where status = 'streaming'`, 0)) ===
        fleet.links.replicationPort('eu-west', 'us-east'),
      takesWritesFromOutside: () => ask('select not pg_is_in_recovery() as answer', false),
    }));

    it('does not know of a machine that is cut off, and cannot stop it', async () => {
      const host = await opened.host('eu-west');
      fleet.partition('eu-west');
      try {
        expect(await host.status(signal())).toEqual({
          running: null,
          detail: expect.stringMatching(/exit code 255; its last line: .*timed out/),
        });
        await expect(host.stop(signal())).rejects.toMatchObject({code: 'host-failed', exit: 69});
        expect(fleet.servers['eu-west']?.running()).toBe(true);
      } finally {
        fleet.heal('eu-west');
      }
      expect((await host.status(signal())).running).toBe(true);
    });

    it('sees a killed server as stopped, and starts it as what it was', async () => {
      const host = await opened.host('us-east');
      await fleet.kill('us-east');
      expect(await host.status(signal())).toMatchObject({running: false});
      await host.start(signal());
      expect(await fleet.servers['us-east']?.sql('select pg_is_in_recovery() as standby')).toEqual([{standby: false}]);
      await expect(host.startAsStandby('eu-west', signal())).rejects.toMatchObject({message: expect.stringContaining('runs as a primary')});
    });
  },
);
