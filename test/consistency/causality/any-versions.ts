import fc from 'fast-check';
import type {About, RowVersion} from '../../../src/lib/consistency/causality/version.ts';
import type {TableRule} from '../../../src/lib/fleet/fleet.ts';
import {REGIONS} from './histories.ts';

/** Any rule over the columns of `anyVersions`, with any policy. */
export const anyRule: fc.Arbitrary<TableRule> = fc.record({
  merge: fc.constantFrom<TableRule['merge'][]>({}, {likes: 'pn-counter'}, {team: 'or-set'}, {likes: 'pn-counter', profile: 'mv-register'}),
  vectorClock: fc.constantFrom(null, 'clock'),
  hlc: fc.constantFrom(null, 'hlc'),
  region: fc.constantFrom(null, 'writer'),
  tombstone: fc.constantFrom(null, 'deleted'),
  policy: fc.constantFrom<TableRule['policy'][]>(
    {kind: 'siblings'},
    {kind: 'newest'},
    {kind: 'source', region: 'eu-west'},
    {kind: 'source', region: 'nowhere'},
    {kind: 'handler', hook: 'ask'},
  ),
});

const anyRow = fc.record({
  id: fc.constant('1'),
  note: fc.constantFrom('a', 'b', null),
  clock: fc.constantFrom('{"ap": 1}', '{"ap": 1, "us-east": 1}', '{"eu-west": 2}', '{"ap":1}', 'garbage', null),
  hlc: fc.constantFrom('117440512000000', '117440512000001', '117440999000000', '-3', null),
  writer: fc.constantFrom(...REGIONS, null),
  deleted: fc.constantFrom('t', 'f', null),
  likes: fc.constantFrom('{"ap": [1, 0]}', '{"ap": [0, 2], "us-east": [1, 1]}', '{}', 'garbage', null),
  team: fc.constantFrom(
    '{"adds": {"ap:1": "alice"}}',
    '{"adds": {"ap:1": "bob"}}',
    '{"removes": {"ap:1": true}}',
    '{"adds": {"us-east:1": "bob"}}',
    null,
  ),
  profile: fc.constantFrom(
    '{"ap:1": {"clock": {"ap": 1}, "value": 1}}',
    '{"us-east:1": {"clock": {"us-east": 1}, "value": {"a": 1.10}}}',
    '{"ap:2": {"clock": {"ap": 2, "us-east": 1}, "value": null}}',
    '{"ap:1": {"clock": {"ap": 1}, "value": 2}}',
    null,
  ),
});

const time = fc.constantFrom('2026-11-28T13:00:00.000001Z', '2026-11-28T13:00:00.000002Z', '2026-11-28T13:00:05.000000Z', null);

/** Rows that share most of their columns, so that each kind of difference comes alone too. */
const related = fc
  .tuple(
    anyRow,
    fc.array(fc.tuple(anyRow, fc.subarray(['note', 'clock', 'hlc', 'writer', 'deleted', 'likes', 'team', 'profile'] as const)), {
      minLength: 1,
      maxLength: 3,
    }),
  )
  .map(([base, others]) => [
    base,
    ...others.map(([other, columns]) => ({...base, ...Object.fromEntries(columns.map((column) => [column, other[column]]))})),
  ]);

/** What one to three regions have of a key, also nothing. */
export const anyVersions: fc.Arbitrary<readonly RowVersion[]> = related.chain((rows) =>
  fc.subarray([...REGIONS], {minLength: 1}).chain((regions) =>
    fc.tuple(
      ...regions.map((region) =>
        fc.record({
          region: fc.constant(region),
          row: fc.constantFrom(...rows, null),
          committedAt: time,
          origin: fc.constantFrom(...REGIONS, null),
        }),
      ),
    ),
  ),
);

export const anyAbout: fc.Arbitrary<About> = fc.record({
  primary: fc.constantFrom(null, null, ...REGIONS),
  wall: fc.constantFrom(null, {ap: 2000, 'us-east': null}),
  skewMs: fc.constantFrom(500, 5000),
  regions: fc.constantFrom([], ['us-east', 'eu-west', 'ap']),
});
