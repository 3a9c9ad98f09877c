import {describe, expect, it} from 'vitest';
import {isRegionctlError, unavailable} from '../../../src/lib/errors.ts';
import type {Audit, TableAudit} from '../../../src/lib/ports/audit.ts';
import {FakeWorld} from './fake-world.ts';
import {judge, resultOf, runAudit} from './run-audit.ts';

const KEYS = 64;

/** A world in which something happens at the nth time that a question is asked of a member. */
function worldThat(
  members: number,
  happens: {readonly at: string; readonly nth?: number; readonly does: (world: FakeWorld) => void} | null = null,
): FakeWorld {
  return new FakeWorld({
    members,
    keys: KEYS,
    meanwhile: (world) => {
      if (happens === null) return;
      const seen = world.calls.filter((call) => call === happens.at).length;
      if (seen >= (happens.nth ?? 1)) happens.does(world);
    },
  });
}

const die = (name: string) => (world: FakeWorld) => {
  world.dead.add(name);
};

describe('an audit of several members', () => {
  it.each([2, 3, 5])('finds what one of %i has otherwise, misses, or has alone', async (members) => {
    const world = worldThat(members);
    world.damage(members - 1, 3, 'other');
    world.damage(0, 17, null);
    world.damage(1, KEYS - 1, null);
    world.damage(1, KEYS + 5, 'alone');
    const result = await resultOf(runAudit(world));
    expect(result).toMatchObject({verdict: 'diverged', keys: ['3', '17', '63', '69'], covered: 1, late: 0, unsettled: 0, code: null});
    expect(result.rows).toBe(KEYS);
    expect(result.accuracy).toBe((KEYS - 4) / KEYS);
  });

  it('says equal, with one place in its stream for each region', async () => {
    expect(await resultOf(runAudit(worldThat(3)))).toMatchObject({
      verdict: 'equal',
      covered: 1,
      accuracy: 1,
      snapshots: {'region-m0': 1, 'region-m1': 1, 'region-m2': 1},
    });
  });

  it('says unknown of what it did not read when a member dies in mid-slice, and goes on with the others', async () => {
    const world = worldThat(3, {at: 'digest m2', nth: 2, does: die('m2')});
    world.damage(1, 60, 'other');
    const audit = await runAudit(world);
    expect(audit.lost).toMatchObject([{member: 'm2', code: 'refused'}]);
    const [table] = audit.tables;
    expect(table).toMatchObject({code: 'refused', rows: KEYS, covered: 0.5});
    // What the third had sent to one of the others only is not known.
    expect(table).toMatchObject({verdict: 'unknown', divergent: [], unsettled: 1});
  });

  it('keeps what was confirmed between the others when a member dies in mid-confirmation', async () => {
    const world = worldThat(3, {at: 'versions m2', nth: 2, does: die('m2')});
    for (let key = 0; key < 450; key++) {
      world.seed(key, 'v');
      world.damage(0, key, 'other');
    }
    const result = await resultOf(runAudit(world));
    expect(result).toMatchObject({verdict: 'diverged', code: 'refused', unexamined: 0});
    expect(result.covered).toBe(1);
    expect(result.keys.length + result.unsettled + result.late).toBe(450);
    expect(result.keys.length).toBeGreaterThanOrEqual(200);
  });

  it('counts what only the lost one had otherwise as unsettled, not as late', async () => {
    const world = worldThat(3, {at: 'hashes m2', nth: 1, does: die('m2')});
    for (let key = 0; key < 250; key++) {
      world.seed(key, 'v');
      world.damage(2, key, 'other');
    }
    expect(await resultOf(runAudit(world))).toMatchObject({verdict: 'unknown', keys: [], late: 0, unsettled: 250, code: 'refused'});
  });

  it('says unknown when only one is left, with what was covered', async () => {
    const world = worldThat(2, {at: 'digest m1', nth: 3, does: die('m1')});
    world.damage(0, 1, 'other');
    expect(await resultOf(runAudit(world))).toMatchObject({verdict: 'unknown', covered: 0.75, rows: 48, code: 'refused', keys: []});
  });

  it('opens a table on those that are there when one dies before', async () => {
    const world = worldThat(3, {at: 'open m0', does: die('m1')});
    const audit = await runAudit(world);
    expect(audit.lost).toMatchObject([{member: 'm1'}]);
    expect(audit.tables).toMatchObject([{verdict: 'unknown', rows: KEYS, code: 'refused', covered: 0}]);
  });

  it('goes on without one that dies while replication is waited for', async () => {
    const world = worldThat(3, {at: 'position m0', does: die('m2')});
    world.damage(0, 1, 'other');
    expect(await resultOf(runAudit(world))).toMatchObject({verdict: 'unknown', unsettled: 1, code: 'refused'});
  });

  it('asks a member that cannot read one table for the next one', async () => {
    const world = worldThat(3);
    const denied: TableAudit['digest'] = (member, ...rest) =>
      member === 'm1' ? Promise.reject(unavailable('privilege', 'm1 does not grant it.')) : world.table.digest(member, ...rest);
    const audit: Audit = {
      ...world.audit,
      tables: async (members, signal) => {
        const cells = await world.audit.tables(members, signal);
        const twice = Object.entries(cells).map(([member, cell]) => [
          member,
          cell.known ? {...cell, value: ['a', 'b'].map((name) => ({...cell.value[0], name}))} : cell,
        ]);
        return Object.fromEntries(twice);
      },
      open: async (name, ...rest) => ({...(await world.audit.open(name, ...rest)), ...(name === 'a' ? {digest: denied} : {})}),
    };
    const {tables, lost} = await runAudit(world, {audit});
    expect(lost).toEqual([]);
    expect(tables).toMatchObject([
      {table: 'a', verdict: 'unknown', code: 'privilege', reason: 'm1 does not grant it.'},
      {table: 'b', verdict: 'equal', covered: 1},
    ]);
  });

  it('passes an abort through', async () => {
    const stop = new AbortController();
    const world = worldThat(2, {at: 'digest m0', does: () => stop.abort(new Error('enough'))});
    const pace = async (): Promise<void> => stop.signal.throwIfAborted();
    await expect(runAudit(world, {signal: stop.signal, pace})).rejects.toThrow('enough');
  });
});

describe('rows that replication still has to bring', () => {
  const behind = (): FakeWorld => {
    const world = worldThat(2);
    for (let key = 0; key < 10; key++) world.write(0, key, 'new');
    return world;
  };

  it('are late once they have arrived', async () => {
    const world = behind();
    const sleep = world.clock.sleep;
    const clock = {
      ...world.clock,
      sleep: async (ms: number, signal?: AbortSignal) => {
        world.deliver(0, 1);
        await sleep(ms, signal);
      },
    };
    expect(await resultOf(runAudit(world, {clock}))).toMatchObject({verdict: 'equal', late: 10, keys: [], unsettled: 0});
  });

  it('are unknown, and never divergent, as long as they have not', async () => {
    const result = await resultOf(runAudit(behind()));
    expect(result).toMatchObject({verdict: 'unknown', code: 'not-caught-up', keys: [], unsettled: 10});
    expect(result.reason).toBe('m1 did not catch up with m0: m1 has 10 bytes of it yet to apply.');
  });

  it('are unsettled where they change at every look', async () => {
    let value = 0;
    const world = new FakeWorld({
      members: 2,
      keys: KEYS,
      meanwhile: (own) => {
        own.write(0, 7, `w${value++}`);
        // Every write arrives, some questions later.
        if (value > 3) own.deliver(0, 1);
      },
    });
    expect(await resultOf(runAudit(world))).toMatchObject({verdict: 'unknown', code: 'moving', unsettled: 1, keys: []});
  });

  it('are divergent at once where nothing replicates', async () => {
    const world = new FakeWorld({members: 2, keys: KEYS, replicates: false});
    world.damage(0, 1, 'other');
    world.damage(0, 2, null);
    expect(await resultOf(runAudit(world))).toMatchObject({verdict: 'diverged', keys: ['1', '2']});
    expect(world.now).toBe(0);
  });
});

describe('very many rows that differ', () => {
  /** A table of chunks with 256 rows each, none of which is kept. */
  const flood = (chunks: number, perSlice = 1000) => {
    const asked = {rows: 0, versions: 0, again: 0};
    const world = new FakeWorld({members: 2, keys: 1, replicates: false});
    const slices = Math.ceil(chunks / perSlice);
    const sumOf = (member: string, id: string): string => `${id}${member}`;
    const ids = (slice: number): string[] =>
      Array.from({length: Math.min(perSlice, chunks - slice * perSlice)}, (_, index) => String(slice * perSlice + index));
    const table: TableAudit = {
      ...world.table,
      next: (before) => {
        const at = before === null ? 0 : Number(before.from) + 1;
        return at >= slices ? null : {rows: perSlice * 256, from: String(at), to: String(at + 1), width: 8};
      },
      digest: async (member, slice) => ({
        at: '1',
        mark: {epoch: '', since: '0'},
        chunks: ids(Number(slice.from)).map((id) => ({id, rows: 256, sum: sumOf(member, id)})),
      }),
      again: async (member, _slice, some) => {
        asked.again += some.length;
        return some.map((id) => ({id, rows: 256, sum: sumOf(member, id)}));
      },
      rows: async (member, _slice, some) => {
        asked.rows += some.length * 256;
        return some.flatMap((id) => Array.from({length: 256}, (_, index) => ({key: `${id}-${index}`, hash: member, stamp: '1'})));
      },
      hashes: async (member, keys) => keys.map((key) => ({key, hash: member, stamp: '1'})),
      versions: async (member, keys) => {
        asked.versions += keys.length;
        return keys.map((key) => ({key, hash: member, stamp: '1', row: {}, committedAt: null, origin: null}));
      },
    };
    return {world, asked, audit: {...world.audit, open: async () => table} as Audit};
  };

  it('are truncated at the limit: 1.5 million of them, of which no more are read than what fills it', async () => {
    const {world, asked, audit} = flood(5860);
    const result = await resultOf(runAudit(world, {audit, limit: 1000}));
    expect(result).toMatchObject({verdict: 'truncated', rows: 5860 * 256, covered: 1});
    expect(result.divergent).toHaveLength(1000);
    expect(asked.rows).toBeLessThanOrEqual(2 * 32_768);
    // Those beyond the thousand are judged as far as they were asked for at once.
    expect(result.unexamined).toBe(5860 * 256 - asked.versions / 2);
    expect(asked.versions).toBe(2 * 1200);
    expect(result.accuracy).toBe(0);
  });

  it('do not pile up: 50 million of them are looked into as they come', async () => {
    const {world, asked, audit} = flood(200_000, 20_000);
    const before = process.memoryUsage().heapUsed;
    const result = await resultOf(runAudit(world, {audit, limit: 1000}));
    expect(result).toMatchObject({verdict: 'truncated', rows: 200_000 * 256});
    expect(asked.rows).toBeLessThanOrEqual(2 * 32_768);
    expect(asked.again).toBeLessThanOrEqual(2 * 80_000);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(150e6);
  });

  it('are all listed where the limit lets them', async () => {
    const {world, audit} = flood(400);
    const result = await resultOf(runAudit(world, {audit, limit: 200_000}));
    expect(result).toMatchObject({verdict: 'diverged', unexamined: 0, accuracy: 0});
    expect(new Set(result.keys).size).toBe(400 * 256);
  });
});

describe('what tables are read', () => {
  it('a store of which nobody is there has nothing to compare', async () => {
    const world = worldThat(2);
    world.dead.add('m0').add('m1');
    expect(await runAudit(world)).toMatchObject({tables: [], lost: [{member: 'm0'}, {member: 'm1'}]});
  });

  it('one that is nowhere is a usage error, with a guess', async () => {
    const refusal = await runAudit(worldThat(2), {choice: {only: ['tt'], ignore: []}}).catch((error: unknown) => error);
    expect(isRegionctlError(refusal) && [refusal.code, refusal.message, refusal.suggestions]).toEqual([
      'usage',
      'no region has a table "tt"',
      ['Did you mean "t"?'],
    ]);
  });

  it('its result is judged by the rule of the table', async () => {
    const world = worldThat(2);
    world.damage(0, 1, 'other');
    const rule = {merge: {}, vectorClock: null, hlc: 'h', region: null, tombstone: null, policy: {kind: 'siblings' as const}};
    const seen: unknown[] = [];
    await runAudit(world, {
      rules: {t: rule},
      judge: (own, key) => {
        seen.push(own);
        return judge(key);
      },
    });
    expect(seen).toEqual([rule]);
  });
});
