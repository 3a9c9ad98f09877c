import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {type AllFacts, positionOf, primariesOf} from '../../../src/lib/providers/redis/facts.ts';
import {figuresOf, runwayOf} from '../../../src/lib/providers/redis/figures.ts';
import {isWritable} from '../../../src/lib/providers/redis/observe.ts';
import {settingsOf} from '../../../src/lib/providers/redis/replication.ts';
import {createTrail} from '../../../src/lib/providers/redis/trail.ts';
import {bytesBetween, comparePositions} from '../../../src/lib/snapshot/position.ts';
import {cell, factsOf, NEW, OLD, OTHER, PRIMARY, read, STANDBY} from './samples.ts';

describe('what INFO says of replication', () => {
  it('is read of a primary with its standbys', () => {
    const slave0 = 'ip=10.0.0.2,port=6379,state=online,offset=980,lag=1';
    expect(read({...PRIMARY, slave0, slave1: 'ip=::1,port=6380,state=wait_bgsave,offset=0,lag=0'})).toMatchObject({
      role: 'primary',
      history: OLD,
      former: null,
      offset: 1000,
      received: null,
      end: 1000,
      upstream: null,
      listed: [
        {address: {host: '10.0.0.2', port: 6379}, state: 'online', offset: 980, silentSeconds: 1},
        {address: {host: '::1', port: 6380}, state: 'wait_bgsave', offset: 0, silentSeconds: 0},
      ],
      backlog: {isActive: true, size: 400, first: 601},
    });
  });

  it('is read of a standby, linked, cut off, and copying with and without a known size', () => {
    expect(read(STANDBY)).toMatchObject({
      role: 'standby',
      offset: 990,
      received: 995,
      readOnly: true,
      upstream: {isUp: true, heardSeconds: 2, downSeconds: null, copying: null},
    });
    const down = {
      ...STANDBY,
      master_link_status: 'down',
      master_last_io_seconds_ago: -1,
      master_link_down_since_seconds: 12,
      slave_read_only: 0,
    };
    expect(read(down)).toMatchObject({readOnly: false, upstream: {isUp: false, heardSeconds: null, downSeconds: 12}});
    expect(read({...down, master_link_down_since_seconds: -1})?.upstream).toMatchObject({downSeconds: null});
    const copying = {
      ...down,
      master_sync_in_progress: 1,
      master_sync_total_bytes: 200,
      master_sync_read_bytes: 50,
      master_sync_left_bytes: 150,
      master_sync_perc: '25.00',
    };
    expect(read(copying)?.upstream?.copying).toEqual({leftBytes: 150, readBytes: 50, percent: 25});
    const diskless = {...copying, master_sync_total_bytes: 0, master_sync_left_bytes: -50, master_sync_perc: '0.00'};
    expect(read(diskless)?.upstream?.copying).toEqual({leftBytes: null, readBytes: 50, percent: null});
  });

  it('is nothing without a role or a history, and never shows what a terminal would obey', () => {
    expect(read({})).toBe(null);
    expect(read({role: 'sentinel', master_replid: OLD})).toBe(null);
    expect(read({role: 'master', master_replid: '0'.repeat(40)})).toBe(null);
    expect(read({...STANDBY, master_host: 'evil\u001b[2J'})?.upstream?.address.host).toBe('evil?[2J');
  });

  it('holds no figure that is negative or none, whatever is said', () => {
    const value = fc.oneof(
      fc.string(),
      fc.integer().map(String),
      fc.constantFrom('-1', 'NaN', '1e999', '99999999999999999999', 'up', 'online'),
    );
    const keys = Object.keys({
      ...PRIMARY,
      ...STANDBY,
      slave0: 0,
      second_repl_offset: 0,
      master_replid2: 0,
      master_sync_in_progress: 0,
      master_sync_perc: 0,
      master_sync_total_bytes: 0,
    });
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...keys), value), fc.constantFrom('master', 'slave'), (lines, role) => {
        const replication = read({...lines, role, master_replid: OLD});
        const figures = numbersIn(replication);
        expect(figures.filter((figure) => !(figure >= 0))).toEqual([]);
      }),
    );
  });

  it('and the settings that are wanted, under either of their names', () => {
    expect(settingsOf(['repl-timeout', '60', 'repl-ping-replica-period', '7', 'min-slaves-to-write', '2'])).toEqual({
      pingSeconds: 7,
      minReplicas: 2,
    });
    // A value is no name.
    expect(settingsOf(['repl-timeout', 'repl-ping-replica-period', 'min-replicas-max-lag', '9'])).toEqual({
      pingSeconds: null,
      minReplicas: null,
    });
  });
});

function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

describe('places on a history that was left', () => {
  const former = {master_replid: NEW, master_replid2: OLD, second_repl_offset: 901};
  const facts: AllFacts = {
    us: cell(PRIMARY),
    eu: cell({...PRIMARY, ...former, master_repl_offset: 950}),
    ap: cell({...PRIMARY, master_replid: OTHER}),
  };

  it('are behind those of whoever was promoted from it, however far they went on', () => {
    const place = (name: string) => {
      const seen = facts[name];
      if (seen?.known !== true) throw new Error(`${name} is known`);
      return positionOf(facts, seen.value);
    };
    expect(place('us')).toEqual({lineage: OLD, epoch: 0, offset: '1000'});
    expect(place('eu')).toEqual({lineage: OLD, epoch: 1, offset: '950'});
    expect(comparePositions(place('us'), place('eu'))).toBeLessThan(0);
    expect(comparePositions(place('ap'), place('eu'))).toBe(null);
    expect(primariesOf(facts).map(({name}) => name)[0]).not.toBe('us');
  });

  it('are by themselves a lineage of their own, and a circle of histories ends', () => {
    const alone = {eu: cell({...PRIMARY, ...former})};
    expect(positionOf(alone, factsOf({...PRIMARY, ...former}))).toMatchObject({lineage: NEW, epoch: 0});
    const circle = {a: cell({...PRIMARY, ...former}), b: cell({...PRIMARY, master_replid2: NEW, second_repl_offset: 1})};
    expect(positionOf(circle, factsOf({...PRIMARY, ...former})).epoch).toBeLessThanOrEqual(2);
  });

  it('count for a replica that has not switched over yet, up to where the histories part', () => {
    const sender = factsOf({...PRIMARY, ...former, master_repl_offset: 1000});
    const figures = (offset: number) =>
      figuresOf({sender, receiver: factsOf({...STANDBY, slave_repl_offset: offset}), isHanging: false, listed: null});
    expect(figures(900)).toMatchObject({applied: 900});
    expect(figures(901)).toMatchObject({applied: null});
    expect(bytesBetween({lineage: OLD, epoch: 0, offset: '990'}, {lineage: OLD, epoch: 0, offset: '1000'})).toBe(10);
  });
});

describe('the runway of a replica', () => {
  const sender = {backlog: {isActive: true, size: 400, first: 601}, end: 1000};
  it.each([
    ['all of the backlog, when nothing is missing', sender, 1000, 400],
    ['what is left of it', sender, 900, 300],
    ['nothing, when it has been overwritten already', sender, 599, 0],
    ['nothing without a backlog', {...sender, backlog: {...sender.backlog, isActive: false}}, 1000, 0],
    ['not known without a place', sender, null, null],
    ['not known without a sender', null, 1000, null],
  ] as const)('is %s', (_name, from, applied, bytes) => {
    expect(runwayOf(from, applied)).toBe(bytes);
  });
});

describe('whether a primary can be written', () => {
  it('is by min-replicas-to-write and its append-only file', () => {
    expect(isWritable(factsOf(PRIMARY))).toBe(true);
    const wants = {settings: {pingSeconds: null, minReplicas: 2}};
    expect(isWritable(factsOf({...PRIMARY, min_slaves_good_slaves: 1}, wants))).toBe(false);
    expect(isWritable(factsOf({...PRIMARY, min_slaves_good_slaves: 2}, wants))).toBe(true);
    expect(isWritable(factsOf(PRIMARY, {filesFail: true}))).toBe(false);
    expect(isWritable(factsOf(STANDBY))).toBe(false);
  });
});

describe('since when something is missing', () => {
  it('is told by the latest look at which there was no more than what is held', () => {
    const trail = createTrail();
    expect(trail.secondsSince('us', 10, 1000)).toBe(null);
    trail.note('us', 10, 1000);
    trail.note('us', 20, 2000);
    expect(trail.secondsSince('us', 15, 3000)).toBe(2);
    expect(trail.secondsSince('us', 20, 3000)).toBe(1);
    expect(trail.secondsSince('us', 9, 3000)).toBe(null);
    expect(trail.secondsSince('eu', 99, 3000)).toBe(null);
  });
});
