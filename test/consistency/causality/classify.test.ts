import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {classifyKey} from '../../../src/lib/consistency/causality/classify.ts';
import {incrementClock, NO_CLOCK, printClock, type VectorClock} from '../../../src/lib/consistency/causality/vector-clock.ts';
import {type About, identityOf, type RowVersion} from '../../../src/lib/consistency/causality/version.ts';
import type {TableRule} from '../../../src/lib/fleet/fleet.ts';
import {anyAbout, anyRule, anyVersions} from './any-versions.ts';
import {histories, play, REGIONS} from './histories.ts';
import {at, clocked, liked, likes, other, peers, row, rule, third, timed, timedRow, vc, versions} from './rows.ts';

const withPrimary: About = {...peers, primary: 'us-east'};

describe('equal (line 1)', () => {
  it('the same columns, whatever the rest says', () =>
    expect(classifyKey(null, versions({row, committedAt: at(1)}, {note: 'a', id: '1'}, row), peers)).toEqual({
      ...{class: 'equal', regions: [], differs: [], suspects: [], groups: [['us-east', 'eu-west', 'ap']]},
      why: 'The row is the same in us-east, eu-west and ap.',
    }));
  it('no row anywhere', () =>
    expect(classifyKey(null, versions(null, null), withPrimary)).toMatchObject({
      class: 'equal',
      why: 'There is no such row in us-east and eu-west.',
    }));
  it('but not NULL and empty, nor a column that is not there', () => {
    expect(classifyKey(null, versions({id: '1', note: ''}, {id: '1', note: null}), peers)).toMatchObject({
      class: 'conflicting',
      differs: ['note'],
    });
    expect(classifyKey(null, versions({id: '1'}, {id: '1', note: null}), peers)).toMatchObject({class: 'conflicting', differs: ['note']});
  });
});

describe('a store with a primary', () => {
  it.each([
    [
      '2',
      null,
      versions(row, other),
      {...peers, primary: 'mars'},
      'conflicting',
      ['us-east', 'eu-west'],
      'No version of the primary mars was read.',
    ],
    [
      '3',
      null,
      versions(null, row, row),
      withPrimary,
      'extra',
      ['eu-west', 'ap'],
      'eu-west and ap have a row that the primary us-east does not have.',
    ],
    [
      '4',
      null,
      versions(row, null, null),
      withPrimary,
      'missing',
      ['eu-west', 'ap'],
      'eu-west and ap have no such row, the primary us-east has it.',
    ],
    [
      '4 and 6',
      null,
      versions({row, committedAt: at(2)}, null, {row: other, committedAt: at(1)}),
      withPrimary,
      'missing',
      ['eu-west', 'ap'],
      'eu-west has no such row, the primary us-east has it; ap has an older version than the primary us-east, by commit time.',
    ],
    [
      '5, newer',
      null,
      versions({row, committedAt: at(1)}, {row: other, committedAt: at(2)}),
      withPrimary,
      'conflicting',
      ['eu-west'],
      'eu-west has a newer version than the primary us-east, by commit time.',
    ],
    [
      '5, the same time',
      null,
      versions({row, committedAt: at(1)}, {row: other, committedAt: at(1)}),
      withPrimary,
      'conflicting',
      ['eu-west'],
      'eu-west has another version than the primary us-east, although they have the same commit time.',
    ],
    [
      '5, concurrent',
      rule({vectorClock: 'vc'}),
      versions({...row, vc: '{"us-east": 1}'}, {...other, vc: '{"eu-west": 1}'}),
      withPrimary,
      'conflicting',
      ['eu-west'],
      'eu-west has a version that has not seen that of the primary us-east, by vector clock.',
    ],
    [
      '6, nothing known',
      null,
      versions(row, other, row),
      withPrimary,
      'stale',
      ['eu-west'],
      'eu-west has another version than the primary us-east.',
    ],
  ] as [string, TableRule | null, RowVersion[], About, string, string[], string][])(
    'line %s',
    (_, known, seen, about, kind, regions, why) => {
      expect(classifyKey(known, seen, about)).toMatchObject({class: kind, regions, why});
    },
  );
});

describe('a store of peers', () => {
  it.each([
    ['7, a tombstone column', timed, versions(null, timedRow(1, 'a'), null), 'missing', ['us-east', 'ap']],
    ['7, merged columns', likes, versions(liked('{"ap": 1}'), null, null), 'missing', ['eu-west', 'ap']],
    ['8', null, versions(row, null, row), 'missing', ['eu-west']],
    ['9', null, versions(null, row, null), 'extra', ['eu-west']],
    ['10', null, versions(row, null), 'missing', ['eu-west']],
    ['11, vector clock', clocked, versions(vc('{"ap": 1}'), vc('{"ap": 2}', other), vc('{"ap": 1}')), 'stale', ['us-east', 'ap']],
    [
      '11, vector clock over HLC',
      rule({vectorClock: 'vc', hlc: 'h'}),
      versions({...vc('{"ap": 1}'), h: '9'}, {...vc('{"ap": 2}', other), h: '5'}),
      'stale',
      ['us-east'],
    ],
    ['11, HLC', timed, versions(timedRow(2, 'b'), timedRow(1, 'a'), timedRow(3, 'c')), 'stale', ['us-east', 'eu-west']],
    ['11, commit time', null, versions({row, committedAt: at(2)}, {row: other, committedAt: at(1)}), 'stale', ['eu-west']],
    [
      '11, HLC where a vector clock cannot be read',
      rule({vectorClock: 'vc', hlc: 'h'}),
      versions({...vc('?'), h: '5'}, {...vc('{}', other), h: '9'}),
      'stale',
      ['us-east'],
    ],
    ['11, states', likes, versions(liked('{"ap": 1}'), liked('{"ap": 2}'), liked(null)), 'stale', ['us-east', 'ap']],
    ['12, vector clock', clocked, versions(vc('{"ap": 1}'), vc('{"us-east": 1}', other)), 'concurrent', ['us-east', 'eu-west']],
    [
      '12, also the older one',
      clocked,
      versions(vc('{"ap": 1}'), vc('{"us-east": 1}', other), vc('{}', third)),
      'concurrent',
      ['us-east', 'eu-west', 'ap'],
    ],
    ['12, states', likes, versions(liked('{"ap": 1}'), liked('{"us-east": 2}')), 'concurrent', ['us-east', 'eu-west']],
    [
      '12, states one way and clocks the other',
      rule({merge: {likes: 'g-counter'}, vectorClock: 'vc'}),
      versions(vc('{"ap": 1}', liked('{"ap": 2}')), vc('{"ap": 2}', liked('{"ap": 1}'))),
      'concurrent',
      ['us-east', 'eu-west'],
    ],
    [
      '12, two states',
      rule({merge: {x: 'g-counter', y: 'g-counter'}}),
      versions({x: '{"ap": 1}', y: '{}'}, {x: '{}', y: '{"ap": 1}'}),
      'concurrent',
      ['us-east', 'eu-west'],
    ],
    [
      '12, one HLC of two writers',
      timed,
      versions(timedRow(1, 'a', 'us-east'), timedRow(1, 'b', 'ap')),
      'concurrent',
      ['us-east', 'eu-west'],
    ],
    ['13, nothing known', null, versions(row, other, other), 'conflicting', ['us-east', 'eu-west', 'ap']],
    ['13, one time known', null, versions({row, committedAt: at(1)}, other), 'conflicting', ['us-east', 'eu-west']],
    ['13, the same vector clock', clocked, versions(vc('{"ap": 1}'), vc('{"ap": 1}', other)), 'conflicting', ['us-east', 'eu-west']],
    [
      '13, a vector clock that cannot be read, commit times or not',
      clocked,
      versions({row: vc('[]'), committedAt: at(1)}, {row: vc('{"ap": 1}', other), committedAt: at(2)}),
      'conflicting',
      ['us-east', 'eu-west'],
    ],
    ['13, one HLC of one writer', timed, versions(timedRow(1, 'a'), timedRow(1, 'b')), 'conflicting', ['us-east', 'eu-west']],
    [
      '13, an HLC that cannot be read',
      timed,
      versions({...timedRow(1, 'a'), hlc: null}, timedRow(1, 'b')),
      'conflicting',
      ['us-east', 'eu-west'],
    ],
    ['13, a state that cannot be read', likes, versions(liked('{"ap": -1}'), liked('{}')), 'conflicting', ['us-east', 'eu-west']],
    ['13, one state written in two ways', likes, versions(liked('{"ap": 1}'), liked('{"ap":1}')), 'conflicting', ['us-east', 'eu-west']],
    [
      '13, states tell, the rest does not',
      likes,
      versions(liked('{"ap": 1}'), liked('{"ap": 2}', 'b')),
      'conflicting',
      ['us-east', 'eu-west'],
    ],
    ['7 and 11', timed, versions(null, timedRow(1, 'a'), timedRow(2, 'b')), 'missing', ['us-east', 'eu-west']],
    ['7 and 12', likes, versions(null, liked('{"ap": 1}'), liked('{"eu": 1}')), 'concurrent', ['us-east', 'eu-west', 'ap']],
    ['8 and 13', null, versions(null, row, other), 'conflicting', ['us-east', 'eu-west', 'ap']],
  ] as [string, TableRule | null, RowVersion[], string, string[]][])('line %s', (_, known, seen, kind, regions) => {
    expect(classifyKey(known, seen, peers)).toMatchObject({class: kind, regions});
  });

  it.each([
    [null, versions(null, row, null), 'eu-west has a row that us-east and ap have not.'],
    [null, versions(row, null), 'us-east has a row that eu-west has not, and nothing tells whether it was deleted or never arrived.'],
    [timed, versions(null, timedRow(1, 'a')), 'us-east has no such row, and nothing that a delete would leave; eu-west has it.'],
    [timed, versions(timedRow(1, 'b'), timedRow(3, 'a')), 'us-east has an older version than eu-west, by hybrid logical clock.'],
    [
      clocked,
      versions(vc('{"ap": 1}'), vc('{"us-east": 1}', other), vc('{"ap": 1}')),
      'us-east (like ap) and eu-west have versions that did not see each other, by vector clock.',
    ],
    [
      clocked,
      versions(vc('[]'), vc('{}', other)),
      'us-east and eu-west differ, and nothing tells which is newer: the vector clock of us-east: the clock is not an object.',
    ],
    [
      likes,
      versions(liked('{"ap": -1}'), liked('{}')),
      'us-east and eu-west differ, and nothing tells which is newer: likes: the count of "ap" is not an integer from 0 to 2^53-1.',
    ],
  ] as [TableRule | null, RowVersion[], string][])('says why, %#', (known, seen, why) =>
    expect(classifyKey(known, seen, peers).why).toBe(why),
  );

  it('names the columns that differ and who has the same', () =>
    expect(classifyKey(timed, versions(timedRow(1, 'a'), timedRow(2, 'b'), timedRow(1, 'a')), peers)).toMatchObject({
      differs: ['note', 'hlc'],
      groups: [['us-east', 'ap'], ['eu-west']],
    }));
});

describe('whatever the rows', () => {
  it('the order of versions does not matter, and equal is exactly what is the same', () => {
    const shuffled = anyVersions.chain((seen) => fc.tuple(fc.constant(seen), fc.shuffledSubarray([...seen], {minLength: seen.length})));
    fc.assert(
      fc.property(fc.option(anyRule), shuffled, anyAbout, (known, [seen, otherwise], about) => {
        const result = classifyKey(known, seen, about);
        expect(classifyKey(known, otherwise, about)).toEqual(result);
        expect(result.class === 'equal').toBe(new Set(seen.map((each) => identityOf(each.row))).size === 1);
        expect(result.regions.length === 0).toBe(result.class === 'equal');
        expect(result.groups.flat().toSorted()).toEqual(seen.map(({region}) => region).toSorted());
      }),
      {numRuns: 2000},
    );
  });

  it('with vector clocks the class is what the history says', () => {
    type State = {readonly clock: VectorClock; readonly saw: ReadonlySet<number>; readonly row: number | null};
    const empty: State = {clock: NO_CLOCK, saw: new Set(), row: null};
    // Who hears of a version that has seen more takes it; of two that have not seen each other each keeps its own.
    const merge = (own: State, heard: State): State => (heard.row !== null && (own.row === null || heard.saw.has(own.row)) ? heard : own);
    fc.assert(
      fc.property(histories, (events) => {
        const states = play(events, {empty, merge}, ({clock, saw}, region, _, number) => ({
          clock: incrementClock(clock, region),
          row: number,
          saw: new Set([...saw, number]),
        }));
        const seen = states.flatMap(({clock, row: number}, index) =>
          number === null
            ? []
            : [{region: REGIONS[index]!, row: {note: String(number), vc: printClock(clock)}, committedAt: null, origin: null}],
        );
        if (seen.length === 0) return;
        const rows = states.filter((state) => state.row !== null);
        const newest = rows.some((state) => rows.every((each) => state.saw.has(each.row ?? -1)));
        const same = new Set(rows.map((state) => state.row)).size === 1;
        expect(classifyKey(clocked, seen, peers).class).toBe(same ? 'equal' : newest ? 'stale' : 'concurrent');
      }),
    );
  });

  it('no version, or two of one region, is a mistake of the caller', () => {
    expect(() => classifyKey(null, [], peers)).toThrow('there is no version to judge');
    expect(() => classifyKey(null, [...versions(row), ...versions(row)], peers)).toThrow('a region has two versions of one row');
  });
});
