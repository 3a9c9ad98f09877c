import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {kindsOf} from '../../src/lib/fleet/kinds.ts';
import {loadFleet} from '../../src/lib/fleet/load.ts';
import {observeFleet} from '../../src/lib/observe/take-snapshot.ts';
import {examine} from '../../src/lib/operate/examine.ts';
import {readLag} from '../../src/lib/operate/lag.ts';
import {readLoss} from '../../src/lib/operate/loss.ts';
import {DOCUMENT_SCHEMAS} from '../../src/lib/output/schemas.ts';
import {builtinProviders} from '../../src/lib/providers/builtin.ts';
import {type OpenFleet, openFleet} from '../../src/lib/providers/open-fleet.ts';
import {realClock as clock} from '../health/real-clock.ts';
import {eventually} from '../servers/embedded.ts';
import {noRedis, type RedisServer, startRedis} from '../servers/redis.ts';

const signal = (): AbortSignal => AbortSignal.timeout(20_000);

describe.skipIf(noRedis !== null)(`a fleet with a redis store${noRedis === null ? '' : ` (skipped: no ${noRedis})`}`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'regionctl-redis-'));
  const servers: RedisServer[] = [];
  let open: OpenFleet;
  beforeAll(async () => {
    const us = await startRedis();
    servers.push(us);
    const eu = await startRedis({upstream: us});
    servers.push(eu);
    const sentinel = await startRedis({sentinel: true, settings: {'sentinel monitor cache-1': `127.0.0.1 ${us.port} 1`}});
    servers.push(sentinel);
    const file = join(dir, 'regionctl.yaml');
    const lines = [
      'version: 1',
      'fleet: shop',
      'regions: {us: {jurisdiction: US}, eu: {jurisdiction: EU}, ap: {jurisdiction: SG}}',
      'stores:',
      '  cache:',
      '    engine: redis',
      '    dataClasses: [sessions]',
      `    sentinels: {master: cache-1, members: ["127.0.0.1:${sentinel.port}"]}`,
      '    members:',
      `      us: {region: us, address: "127.0.0.1:${us.port}"}`,
      `      eu: {region: eu, address: "127.0.0.1:${eu.port}"}`,
      'dataClasses: {sessions: {rpo: 10s}}',
      'state: {kind: sqlite, dir: state}',
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    const fleet = await loadFleet(file, kindsOf(builtinProviders), {});
    open = await openFleet({fleet, providers: builtinProviders, clock, defaultStateDir: dir});
  });
  afterAll(async () => {
    await open.close();
    await Promise.all(servers.map((server) => server.end()));
    rmSync(dir, {recursive: true, force: true});
  });

  it('shows its link in replication lag, in the document that is published', async () => {
    const {document, exit} = await eventually(async () => {
      const read = await readLag(open, {signal: signal()});
      return read.exit === 0 ? read : null;
    });
    expect(exit).toBe(0);
    expect(document.links).toMatchObject([
      {
        store: 'cache',
        engine: 'redis',
        from: 'us',
        to: 'eu',
        state: 'streaming',
        sendBytes: null,
        replayBytes: 0,
        seconds: 0,
        withinRpo: true,
      },
    ]);
    expect(DOCUMENT_SCHEMAS['replication-lag'].safeParse({...document, drains: []}).error).toBe(undefined);
  });

  it('shows what it would lose in replication loss, and its primary gone it is told from the last look, and blocks nothing unknown', async () => {
    const {document, exit} = await readLoss(open, 'eu', signal());
    expect(exit).toBe(0);
    expect(document).toMatchObject({
      blocking: false,
      stores: [{store: 'cache', bytes: 0, seconds: 0, withinRpo: true, watched: true, certainty: 'estimate'}],
    });
    expect(DOCUMENT_SCHEMAS['replication-loss'].safeParse(document).error).toBe(undefined);
    // A region that has no copy of it: there is nothing that could be promoted, and nobody is kept from moving something else.
    const none = await readLoss(open, 'ap', signal());
    expect(none).toMatchObject({exit: 0, document: {blocking: false, stores: [{certainty: 'unknown', bytes: null, watched: true}]}});
  });

  it('is in the snapshot as a store that is watched', async () => {
    const {snapshot} = await observeFleet({...open, signal: signal(), vantage: 'here'});
    expect(snapshot.stores.cache).toMatchObject({
      engine: 'redis',
      watched: true,
      ack: {value: {kind: 'async'}},
      members: {us: {value: {role: 'primary'}}, eu: {value: {role: 'standby'}}},
    });
  });

  it('is examined by doctor, with who watches over it', async () => {
    const {document, exit} = await examine(open, signal());
    const said = document.checks.filter(({check}) => check === 'store cache').map(({verdict, says}) => `${verdict}: ${says}`);
    expect(said).toEqual([
      expect.stringMatching(/^pass: sentinel 127\.0\.0\.1:\d+ watches us as cache-1, and knows \d replicas?$/),
      expect.stringMatching(/^pass: the primary can be moved: 1 of 1 Sentinel can be reached/),
      'warning: 1 Sentinel watches the store: when one is lost, nobody can move the primary',
      'pass: the Sentinels and us agree that it is the primary',
      'pass: watched only: Sentinel (or whoever runs it) moves it, and no plan does',
      'pass: asynchronous, as the fleet file says',
    ]);
    expect(exit).toBe(1);
  });
});
