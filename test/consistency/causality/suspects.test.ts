import {describe, expect, it} from 'vitest';
import {classifyKey} from '../../../src/lib/consistency/causality/classify.ts';
import type {About, Columns, RowVersion} from '../../../src/lib/consistency/causality/version.ts';
import type {TableRule} from '../../../src/lib/fleet/fleet.ts';
import {at, clocked, liked, likes, other, peers, row, rule, timed, timedRow, vc, versions} from './rows.ts';

describe('clock-skew', () => {
  const ahead = (ms: number, parts: Partial<RowVersion> = {}): readonly RowVersion[] => {
    const [one, two] = versions({row: timedRow(ms, 'b'), committedAt: at(0)}, {row: timedRow(0, 'a', 'eu-west'), committedAt: at(0)});
    return [{...one!, ...parts}, two!];
  };
  it.each([
    ['a clock 500 ms ahead of its commit is none yet', timed, ahead(500), peers, []],
    ['501 ms is', timed, ahead(501), peers, ['clock-skew']],
    ['as many as the caller says', timed, ahead(501), {...peers, skewMs: 501}, []],
    ['one behind is none', timed, ahead(-9000), peers, []],
    ['without a commit time nothing is known', timed, ahead(9000, {committedAt: null}), peers, []],
    ['set right by what is known of the wall clock', timed, ahead(900), {...peers, wall: {'us-east': -450}}, []],
    ['of the region where it was written', timed, ahead(0, {origin: 'ap'}), {...peers, wall: {ap: 501}}, ['clock-skew']],
    [
      'an HLC against the vector clock',
      rule({vectorClock: 'vc', hlc: 'h'}),
      versions({...vc('{"ap": 1}'), h: '9'}, {...vc('{"ap": 2}', other), h: '5'}),
      peers,
      ['clock-skew'],
    ],
    [
      'an HLC with it',
      rule({vectorClock: 'vc', hlc: 'h'}),
      versions({...vc('{"ap": 1}'), h: '5'}, {...vc('{"ap": 2}', other), h: '9'}),
      peers,
      [],
    ],
    [
      'a commit time against the vector clock',
      clocked,
      versions({row: vc('{"ap": 1}'), committedAt: at(2)}, {row: vc('{"ap": 2}', other), committedAt: at(1)}),
      peers,
      ['clock-skew'],
    ],
    [
      'rows told apart by time, written by a clock that is off',
      null,
      versions({row, committedAt: at(2)}, {row: other, committedAt: at(1)}),
      {...peers, wall: {'eu-west': -600}},
      ['clock-skew'],
    ],
    ['the same by vector clock alone', clocked, versions(vc('{"ap": 1}'), vc('{"ap": 2}', other)), {...peers, wall: {'eu-west': -600}}, []],
    ['the same by states alone', likes, versions(liked('{}'), liked('{"ap": 1}')), {...peers, wall: {'eu-west': -600}}, []],
    ['equal rows have no suspects', timed, ahead(9000).slice(0, 1), peers, []],
  ] as [string, TableRule | null, RowVersion[], About, string[]][])('%s', (_, known, seen, about, suspects) => {
    expect(classifyKey(known, seen, about).suspects).toEqual(suspects);
  });
});

describe('lost-delete', () => {
  const members = rule({merge: {members: 'or-set'}});
  const profiles = rule({merge: {versions: 'mv-register'}});
  const set = (text: string): Columns => ({team: 'x', members: text});
  const versioned = (clock: string, value: string): Columns => ({
    id: 'x',
    versions: `{"ap:${clock}": {"clock": {"ap": ${clock}}, "value": ${value}}}`,
  });
  it.each([
    ['a live row that is older than the tombstone', timed, versions(timedRow(1, 'a'), timedRow(2, 'a', 'ap', 't')), ['lost-delete']],
    ['a live row that is newer than the tombstone', timed, versions(timedRow(3, 'a'), timedRow(2, 'a', 'ap', 'true')), []],
    ['two tombstones', timed, versions(timedRow(1, 'a', 'ap', 't'), timedRow(2, 'a', 'ap', 't')), []],
    [
      'a row that came back: committed later, but dominated',
      rule({vectorClock: 'vc', tombstone: 'd'}),
      versions({row: {...vc('{"ap": 1}'), d: 'f'}, committedAt: at(9)}, {row: {...vc('{"ap": 2}'), d: 't'}, committedAt: at(1)}),
      ['clock-skew', 'lost-delete'],
    ],
    [
      'a tombstone that did not see the live row',
      rule({vectorClock: 'vc', tombstone: 'd'}),
      versions({...vc('{"ap": 1}'), d: 'f'}, {...vc('{"eu": 2}'), d: 't'}),
      [],
    ],
    ['a row whose origin has it no more', null, versions(null, {row, origin: 'us-east'}, {row, origin: 'us-east'}), ['lost-delete']],
    [
      'a row whose writer has it no more',
      rule({region: 'w'}),
      versions(null, {...row, w: 'us-east'}, {...row, w: 'us-east'}),
      ['lost-delete'],
    ],
    ['a row that never arrived', null, versions(row, null, {row, origin: 'us-east'}), []],
    ['absence where deletes leave traces', timed, versions(null, {row: timedRow(1, 'a'), origin: 'us-east'}), []],
    [
      'an element removed elsewhere',
      members,
      versions(set('{"adds": {"ap:1": "al"}}'), set('{"adds": {"ap:1": "al"}, "removes": {"ap:1": true}}')),
      ['lost-delete'],
    ],
    ['an element added elsewhere', members, versions(set('{"adds": {"ap:1": "al"}}'), set('{"adds": {}, "removes": {"ap:2": true}}')), []],
    ['a value deleted elsewhere', profiles, versions(versioned('1', '7'), versioned('2', 'null')), ['lost-delete']],
    ['a value written after the deletion', profiles, versions(versioned('3', '7'), versioned('2', 'null')), []],
    ['a value changed elsewhere', profiles, versions(versioned('1', '7'), versioned('2', '8')), []],
  ] as [string, TableRule | null, RowVersion[], string[]][])('%s', (_, known, seen, suspects) => {
    expect(classifyKey(known, seen, peers).suspects).toEqual(suspects);
  });
});
