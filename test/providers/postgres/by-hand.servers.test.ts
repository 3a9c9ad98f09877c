import {execFileSync} from 'node:child_process';
import {chmodSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, describe, expect, it} from 'vitest';
import {type DebianFleet, type DebianOptions, type DebianServer, noPostgres15, startDebianFleet} from '../../servers/debian.ts';
import {POSTGRES_15} from '../../servers/debian-ctl.ts';
import {eventually} from '../../servers/embedded.ts';
import {countByTable, createTables, ctx, goSeparateWays, linesOf, OWN, ownLines} from './diverged.ts';
import {openByHand} from './open-by-hand.ts';
import {type FullStore, signal} from './open-store.ts';

const ROWS = `select md5(string_agg(md5(o::text), '' order by id)) as sum, count(*)::int as n from orders o`;

// Two servers of Debian's PostgreSQL 15 that have gone separate ways, and every way back.
describe.skipIf(noPostgres15 !== null)(`a former primary run by hand${noPostgres15 === null ? '' : ` (skipped: ${noPostgres15})`}`, () => {
  let fleet: DebianFleet;
  let store: FullStore;
  let close: () => Promise<void>;
  let [old, next] = [] as unknown as [DebianServer, DebianServer];

  const begin = async (options: Partial<DebianOptions> = {}): Promise<void> => {
    fleet = await startDebianFleet({members: ['us-east', 'eu-west'], quorum: 0, ...options});
    ({store, close} = await openByHand(fleet));
    [old, next] = Object.values(fleet.servers) as [DebianServer, DebianServer];
    await createTables(old);
  };
  afterEach(async () => {
    await close?.();
    await fleet?.end();
  });

  const {save, rejoin, options} = {
    save: () => store.abilities.rejoin.save?.(ctx(), 'us-east', 'eu-west', join(fleet.dir, 'kept')),
    rejoin: (how: 'follow' | 'rewind' | 'rebuild') => store.abilities.rejoin.rejoin(ctx(), 'us-east', how, 'eu-west'),
    options: () => store.abilities.rejoin.options('us-east', signal()),
  };
  const expectTheSame = async (): Promise<void> => {
    const [wanted] = await next.sql(ROWS);
    await eventually(async () => JSON.stringify((await old.sql(ROWS))[0]) === JSON.stringify(wanted));
    expect(await store.abilities.follow.following(ctx(), 'us-east')).toBe('eu-west');
    expect(await store.abilities.claim.held(ctx())).toBe(true);
  };

  it('killed: its rows and its log are kept, it is rewound, and follows over its slot', async () => {
    await begin({links: true});
    await goSeparateWays(store, old, next);
    await old.kill();
    const saved = await save();
    expect(saved?.missing).toBeUndefined();
    const lines = linesOf(join(fleet.dir, 'kept/rows.ndjson'));
    expect(countByTable(lines)).toEqual(OWN);
    expect(lines).toEqual(await ownLines(old));
    expect(await old.sql('select pg_is_in_recovery() as standby')).toEqual([{standby: true}]);
    // The kept log by itself is good for PostgreSQL's own tool, from where they parted to the end.
    const {parted, end} = JSON.parse(readFileSync(join(fleet.dir, 'kept/summary.json'), 'utf8'));
    const range = ['-p', join(fleet.dir, 'kept/wal'), '-s', parted.at, '-e', end.at];
    const said = execFileSync(join(POSTGRES_15, 'pg_waldump'), range, {encoding: 'utf8', maxBuffer: 2 ** 28});
    expect(said.match(/desc: COMMIT/g)?.length).toBeGreaterThanOrEqual(8);

    expect(await options()).toEqual([
      {how: 'rewind', bytes: saved?.walBytes},
      {how: 'rebuild', bytes: expect.any(Number)},
    ]);
    await rejoin('rewind');
    await expectTheSame();
    expect(await next.sql('select slot_name, active from pg_replication_slots')).toEqual([{slot_name: 'us_east', active: true}]);
    expect(await options()).toMatchObject([{how: 'follow'}, {how: 'rewind', bytes: 0}, {how: 'rebuild'}]);
  });

  it('fenced and running: 500 rows of its own are kept, and taken back', async () => {
    await begin();
    await goSeparateWays(store, old, next);
    expect(await store.abilities.rejoin.rewinds?.('us-east', signal())).toBe(true);
    await store.abilities.fence.fence(ctx(), 'us-east', {keepRunning: true});
    const saved = await save();
    expect(countByTable(linesOf(join(fleet.dir, 'kept/rows.ndjson')))).toEqual(OWN);
    const [rewind] = await options();
    expect(rewind).toMatchObject({how: 'rewind'});
    expect(rewind?.bytes).toBeGreaterThanOrEqual(saved?.walBytes ?? Number.NaN);
    await expect(rejoin('follow')).rejects.toMatchObject({code: 'cannot-follow'});
    expect((await rejoin('rewind')).bytes).toBeGreaterThan(0);
    await expectTheSame();
    await store.abilities.fence.lift(ctx(), 'us-east', 'following');
    expect(await store.abilities.fence.open(ctx(), 'us-east')).toBe(true);
  });

  it('stopped cleanly: it follows as it is', async () => {
    await begin();
    const {claim, fence, seal, promote} = store.abilities;
    await claim.claim(ctx());
    await fence.fence(ctx(), 'us-east');
    const from = (await seal.seal(ctx(), ['eu-west']))['eu-west']!;
    await promote.promote(ctx(), 'eu-west', {from, until: performance.now() + 1000});
    expect(await save()).toBeNull();
    await rejoin('follow');
    await fence.lift(ctx(), 'us-east', 'following');
    await expectTheSame();
    expect(await next.sql('select slot_name, active from pg_replication_slots')).toEqual([{slot_name: 'us_east', active: true}]);
  });

  it('whose log is gone: it cannot be rewound and says so, and is rebuilt', async () => {
    await begin({settings: {wal_keep_size: '0', max_wal_size: '2MB', min_wal_size: '2MB'}});
    await goSeparateWays(store, old, next);
    await old.sql(`select pg_drop_replication_slot('eu_west')`);
    for (let round = 0; round < 8; round++) {
      await old.sql('select pg_switch_wal()');
      await old.sql('checkpoint');
    }
    await old.kill();
    const saved = await save();
    expect(saved?.missing?.[0]).toMatch(/has removed \d+ segments/);
    await expect(rejoin('rewind')).rejects.toMatchObject({
      code: 'cannot-rewind',
      exit: 77,
      message: expect.stringMatching(/us-east cannot be rewound: .*pg_rewind/),
    });
    expect((await rejoin('rebuild')).bytes).toBeGreaterThan(1_000_000);
    await expectTheSame();
  });

  it('that logs no hints and has no checksums is not offered a rewind, and refuses it untouched', async () => {
    await begin({settings: {wal_log_hints: 'off'}});
    await goSeparateWays(store, old, next);
    await old.ctl('stop');
    expect(await options()).toMatchObject([{how: 'follow', bytes: null}, {how: 'rebuild'}]);
    await expect(rejoin('rewind')).rejects.toMatchObject({code: 'cannot-rewind', message: expect.stringContaining('wal_log_hints')});
    expect(old.running()).toBe(false);
    await rejoin('rebuild');
    await expectTheSame();
  });

  it('whose access rules may not be written is made to wait with every commit, and stopped, because that has leaks', async () => {
    await begin();
    chmodSync(join(old.dir, 'pg_hba.conf'), 0o444);
    const {fence} = store.abilities;
    await store.abilities.claim.claim(ctx());
    expect(await fence.fence(ctx(), 'us-east', {keepRunning: true})).toMatchObject({kind: 'stopped', survivesRestart: false, leaks: []});
    expect(old.running()).toBe(false);
    expect(readdirSync(old.dir).filter((name) => name.endsWith('.regionctl'))).toEqual(['pg_hba.conf.regionctl']);
    // Somebody starts it again: it still does not acknowledge.
    await old.ctl('start');
    expect(await fence.prove(ctx(), 'us-east')).toMatchObject({
      kind: 'closed',
      survivesRestart: true,
      leaks: ['synchronous_commit=local', 'synchronous_commit=off', 'cancelled commits'],
    });
    const writer = await old.connect({database: 'orders'});
    let acknowledged = false;
    const writing = writer.query('begin read write; insert into orders (id) values (70077); commit').then(
      () => (acknowledged = true),
      () => undefined,
    );
    await eventually(async () => (await old.sql(`select 1 from pg_stat_activity where wait_event = 'SyncRep'`)).length === 1);
    await store.abilities.claim.claim(ctx());
    expect(await fence.open(ctx(), 'us-east')).toBe(false);
    await fence.lift(ctx(), 'us-east', 'undo');
    await writing;
    // What waited is let go when nobody has to be waited for any more.
    expect(acknowledged).toBe(true);
    await writer.end();
    expect(await fence.prove(ctx(), 'us-east')).toBeNull();
    expect(await fence.open(ctx(), 'us-east')).toBe(true);
    await old.sql('insert into orders (id) values (70078)');
  });
});
