import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {classifyKey} from '../../../src/lib/consistency/causality/classify.ts';
import {resolveKey, writesTo} from '../../../src/lib/consistency/causality/resolve.ts';
import {compareStates} from '../../../src/lib/consistency/causality/states.ts';
import {type About, type Columns, NO_RULE, type RowVersion} from '../../../src/lib/consistency/causality/version.ts';
import type {TableRule} from '../../../src/lib/fleet/fleet.ts';
import {anyAbout, anyRule, anyVersions} from './any-versions.ts';

const peers: About = {primary: null, wall: null, regions: ['us-east', 'eu-west', 'ap']};
const rule = (parts: Partial<TableRule>): TableRule => ({...NO_RULE, ...parts});

/** What the regions have, in the order of the fleet; `times` are seconds of their commits. */
const versions = (rows: readonly (Columns | null)[], times: readonly number[] = []): readonly RowVersion[] =>
  rows.map((row, index) => ({
    region: peers.regions![index]!,
    row,
    committedAt: times[index] === undefined ? null : `2026-11-28T13:00:0${times[index]}.000000Z`,
    origin: null,
  }));
const [a, b] = [
  {id: '1', note: 'a'},
  {id: '1', note: 'b'},
];
const newest = {kind: 'newest'} as const;
const source = (region: string) => ({kind: 'source', region}) as const;

describe('merge', () => {
  it('takes what all states say together, and writes where it is not there yet', () => {
    const seen = versions([{likes: '{"ap": 1}'}, {likes: '{"us-east": 2}'}, null]);
    expect(resolveKey(rule({merge: {likes: 'g-counter'}}), seen, peers)).toEqual({
      ...{layer: 'merge', row: {likes: '{"ap": 1, "us-east": 2}'}, why: 'Merged by type: likes.'},
      writes: [
        {region: 'us-east', change: 'update', from: {likes: '{"ap": 1}'}},
        {region: 'eu-west', change: 'update', from: {likes: '{"us-east": 2}'}},
        {region: 'ap', change: 'insert', from: null},
      ],
    });
  });

  it('keeps siblings of a register, and says how many', () => {
    const write = (region: string, value: string): Columns => ({p: `{"${region}:1": {"clock": {"${region}": 1}, "value": ${value}}}`});
    expect(resolveKey(rule({merge: {p: 'mv-register'}}), versions([write('us-east', '1'), write('ap', '2')]), peers)).toMatchObject({
      layer: 'merge',
      row: {p: '{"ap:1": {"clock": {"ap": 1}, "value": 2}, "us-east:1": {"clock": {"us-east": 1}, "value": 1}}'},
      why: 'Merged by type: p. Siblings left in p: 2.',
    });
  });

  it('takes clock and writer from the newest, and the vector clock from all', () => {
    const known = rule({merge: {likes: 'g-counter'}, vectorClock: 'vc', hlc: 'hlc', region: 'w'});
    const seen = versions([
      {likes: '{"ap": 1}', vc: '{"ap": 1}', hlc: '9', w: 'ap'},
      {likes: '{"ap": 2}', vc: '{"us-east": 1}', hlc: '5', w: 'us-east'},
    ]);
    expect(resolveKey(known, seen, peers)).toMatchObject({
      layer: 'merge',
      row: {likes: '{"ap": 2}', vc: '{"ap": 1, "us-east": 1}', hlc: '9', w: 'ap'},
    });
  });

  it('is what is said when nothing else differs, although one version has seen all others', () => {
    const seen = versions([
      {likes: '{"ap": 1}', vc: '{"ap": 1}'},
      {likes: '{"us-east": 1}', vc: '{"ap": 2}'},
    ]);
    expect(resolveKey(rule({merge: {likes: 'g-counter'}, vectorClock: 'vc'}), seen, peers)).toMatchObject({
      layer: 'merge',
      why: 'Merged by type: likes.',
    });
  });

  it('of one vector clock alone', () =>
    expect(
      resolveKey(
        rule({vectorClock: 'vc'}),
        versions([
          {...a, vc: '{"ap": 1}'},
          {...a, vc: '{"us-east": 1}'},
        ]),
        peers,
      ),
    ).toMatchObject({
      ...{layer: 'merge', row: {...a, vc: '{"ap": 1, "us-east": 1}'}, why: 'Only clocks differ, which are merged.'},
    }));

  it('does not choose a writer alone', () =>
    expect(resolveKey(rule({region: 'w', policy: source('us-east')}), versions([{w: 'ap'}, {w: 'us-east'}]), peers)).toMatchObject({
      ...{layer: 'policy', row: {w: 'ap'}},
    }));

  it('leaves the rest to the next layers, and says so', () => {
    const known = rule({merge: {likes: 'g-counter'}, policy: source('us-east')});
    const seen = versions([
      {...a, likes: '{"ap": 1}'},
      {...b, likes: '{"us-east": 2}'},
    ]);
    expect(resolveKey(known, seen, peers)).toMatchObject({
      layer: 'policy',
      row: {...a, likes: '{"ap": 1, "us-east": 2}'},
      why: 'Merged by type: likes. The policy of the table takes the version of us-east.',
    });
    expect(resolveKey({...known, policy: {kind: 'siblings'}}, seen, peers)).toEqual({
      ...{layer: 'person', merged: {likes: '{"ap": 1, "us-east": 2}'}, writes: []},
      why: 'Merged by type: likes. The policy of the table leaves versions of which none has seen all others to a person.',
    });
  });

  it('is not tried with what cannot be read', () => {
    const seen = versions([{likes: '[]'}, {likes: '{"ap": 1}'}]);
    const why = 'Not merged: likes, because the counter is not an object.';
    expect(resolveKey(rule({merge: {likes: 'g-counter'}}), seen, peers)).toMatchObject({
      layer: 'person',
      why: expect.stringContaining(why),
    });
    expect(resolveKey(rule({merge: {likes: 'g-counter'}, policy: source('eu-west')}), seen, peers)).toMatchObject({
      ...{layer: 'policy', row: {likes: '{"ap": 1}'}, why: expect.stringContaining(why)},
    });
  });
});

describe('dominance', () => {
  const clocked = rule({vectorClock: 'vc', policy: source('us-east')});
  it('the version that has seen all others wins over any policy', () =>
    expect(
      resolveKey(
        clocked,
        versions([
          {...a, vc: '{"ap": 1}'},
          {...b, vc: '{"ap": 1, "us-east": 1}'},
          {...a, vc: '{}'},
        ]),
        peers,
      ),
    ).toMatchObject({
      ...{layer: 'dominance', row: {...b, vc: '{"ap": 1, "us-east": 1}'}, writes: [{region: 'us-east'}, {region: 'ap'}]},
      why: 'The version of eu-west has seen all others, by vector clock.',
    }));
  it('wins with its own columns, beside what is merged', () => {
    const seen = versions([
      {...a, vc: '{"ap": 1}', likes: '{"ap": 1}'},
      {...b, vc: '{"ap": 2}', likes: '{"eu-west": 1}'},
    ]);
    expect(resolveKey({...clocked, merge: {likes: 'g-counter'}}, seen, peers)).toMatchObject({
      ...{layer: 'dominance', row: {...b, vc: '{"ap": 2}', likes: '{"ap": 1, "eu-west": 1}'}},
    });
  });
  it('of concurrent ones the policy chooses, and the clock of the result has seen both', () =>
    expect(
      resolveKey(
        clocked,
        versions([
          {...a, vc: '{"ap": 1}'},
          {...b, vc: '{"us-east": 1}'},
        ]),
        peers,
      ),
    ).toMatchObject({
      ...{layer: 'policy', row: {...a, vc: '{"ap": 1, "us-east": 1}'}, writes: [{region: 'us-east'}, {region: 'eu-west'}]},
    }));
  it('a clock that cannot be read dominates nothing, and nothing dominates it', () =>
    expect(
      resolveKey(
        clocked,
        versions([
          {...a, vc: '?'},
          {...b, vc: '{"us-east": 1}'},
        ]),
        peers,
      ),
    ).toMatchObject({layer: 'policy', row: {vc: '?'}}));
  it('a tombstone wins over what it has seen, also where there was no row', () =>
    expect(
      resolveKey(rule({vectorClock: 'vc', tombstone: 'd'}), versions([{vc: '{"ap": 1}', d: 'f'}, {vc: '{"ap": 2}', d: 't'}, null]), peers),
    ).toMatchObject({layer: 'dominance', row: {vc: '{"ap": 2}', d: 't'}, writes: [{change: 'update'}, {region: 'ap', change: 'insert'}]}));
  it('the only version, where deletes leave traces', () =>
    expect(resolveKey(rule({tombstone: 'd'}), versions([null, {d: 'f'}, null]), peers)).toMatchObject({
      ...{
        layer: 'dominance',
        row: {d: 'f'},
        why: 'Deletes leave a trace in this table and us-east and ap have none, so the row of eu-west is taken.',
      },
    }));
  it('nothing is written where all agree', () =>
    expect(resolveKey(rule({}), versions([a, a]), peers)).toEqual({
      layer: 'dominance',
      row: a,
      writes: [],
      why: 'It is the same in us-east and eu-west.',
    }));
});

describe('policy', () => {
  const timed = rule({hlc: 'hlc', region: 'w', policy: newest});
  it.each([
    ['source', rule({policy: source('eu-west')}), versions([a, b, a]), b],
    ['a source that has no row', rule({policy: source('eu-west')}), versions([a, null, a]), null],
    ['a source that has it alone', rule({policy: source('eu-west')}), versions([null, b, null]), b],
    [
      'newest by HLC, not by commit time',
      timed,
      versions(
        [
          {...a, hlc: '5', w: 'ap'},
          {...b, hlc: '7', w: 'ap'},
        ],
        [2, 1],
      ),
      {...b, hlc: '7', w: 'ap'},
    ],
    [
      'of one HLC the greater region',
      timed,
      versions([
        {...a, hlc: '5', w: 'us-east'},
        {...b, hlc: '5', w: 'eu-west'},
      ]),
      {...a, hlc: '5', w: 'us-east'},
    ],
    ['newest by commit time', rule({policy: newest}), versions([a, b], [1, 2]), b],
    ['of one commit time the greater region', rule({policy: newest}), versions([a, b], [1, 1]), a],
    ['of copies the last commit counts', rule({policy: newest}), versions([a, b, a], [1, 2, 3]), a],
    ['what most have, where one has none', rule({policy: newest}), versions([a, null, a], [1, 1, 1]), a],
  ] as [string, TableRule, RowVersion[], Columns | null][])('%s', (_, known, seen, row) =>
    expect(resolveKey(known, seen, peers)).toMatchObject({layer: 'policy', row}),
  );

  it('of one stamp of one writer the same version is taken, in whatever order the fleet names its regions', () => {
    const seen = versions([
      {...b, hlc: '5', w: 'ap'},
      {...a, hlc: '5', w: 'ap'},
    ]);
    for (const regions of [
      ['us-east', 'eu-west'],
      ['eu-west', 'us-east'],
    ])
      expect(resolveKey(timed, seen, {...peers, regions})).toMatchObject({layer: 'policy', row: b});
  });

  it('a row that is to be absent is deleted where it is', () =>
    expect(resolveKey(rule({policy: source('us-east')}), versions([null, a, b]), peers)).toMatchObject({
      row: null,
      writes: [
        {region: 'eu-west', change: 'delete', from: a},
        {region: 'ap', change: 'delete', from: b},
      ],
    }));

  it('without a rule the primary is the truth, also when it has no row', () => {
    const primary = {...peers, primary: 'us-east'};
    const why = 'The fleet file has no rule for this table, so the row of the primary us-east is taken.';
    expect(resolveKey(null, versions([a, b, null]), primary)).toMatchObject({
      layer: 'policy',
      row: a,
      why,
      writes: [{region: 'eu-west'}, {region: 'ap'}],
    });
    expect(resolveKey(null, versions([null, b]), primary)).toMatchObject({layer: 'policy', row: null, why});
    expect(resolveKey(null, versions([a, b]), {...peers, primary: 'mars'})).toMatchObject({layer: 'person'});
  });
});

describe('what is left to others', () => {
  it.each([
    ['siblings', rule({}), versions([a, b]), 'The policy of the table leaves versions of which none has seen all others to a person.'],
    ['no rule and no primary', null, versions([a, b]), 'The fleet file has no rule for this table, and the store no primary.'],
    [
      'a source that was not read',
      rule({policy: source('mars')}),
      versions([a, b]),
      'The policy of the table takes the version of mars, which has none or was not read.',
    ],
    [
      'a source that never had the row',
      rule({tombstone: 'd', policy: source('ap')}),
      versions([a, b, null]),
      'The policy of the table takes the version of ap, which has none or was not read.',
    ],
    [
      'newest without a time',
      rule({policy: newest}),
      versions([a, b], [1]),
      'The policy of the table takes the newest version, but the commit time of eu-west is not known.',
    ],
    [
      'newest with an HLC that cannot be read',
      rule({hlc: 'hlc', policy: newest}),
      versions([{hlc: '5'}, {hlc: null}], [1, 2]),
      'The policy of the table takes the newest version, but the clock in hlc of eu-west: it is not an integer from 0 to 2^63-1.',
    ],
    [
      'newest where fewer have the row',
      rule({policy: newest}),
      versions([a, null, null], [1]),
      'No version is the newest, as an absent row has no time: us-east has a row that eu-west and ap have not.',
    ],
    [
      'newest where as many have it',
      rule({policy: newest}),
      versions([a, null], [1]),
      'No version is the newest, as an absent row has no time: us-east has a row that eu-west has not, and nothing tells whether it was deleted or never arrived.',
    ],
    [
      'newest where the writer has it no more',
      rule({region: 'w', policy: newest}),
      versions([null, {w: 'us-east'}, {w: 'us-east'}], [1, 1, 1]),
      'It may have been deleted: the region that wrote it has none any more.',
    ],
  ] as [string, TableRule | null, RowVersion[], string][])('a person: %s', (_, known, seen, why) =>
    expect(resolveKey(known, seen, peers)).toEqual({layer: 'person', merged: {}, writes: [], why}),
  );

  it('a hook, with what is merged in any case', () => {
    const known = rule({merge: {likes: 'g-counter'}, policy: {kind: 'handler', hook: 'ask'}});
    const seen = versions([
      {...a, likes: '{"ap": 1}'},
      {...b, likes: '{"ap": 2}'},
    ]);
    const answer = resolveKey(known, seen, peers);
    expect(answer).toEqual({
      ...{layer: 'handler', hook: 'ask', merged: {likes: '{"ap": 2}'}, writes: []},
      why: 'Merged by type: likes. The policy of the table asks the hook ask.',
    });
    // What the hook chooses is completed and written as any other.
    expect(writesTo(seen, {...a, likes: '{"ap": 2}'}).map(({region}) => region)).toEqual(['us-east', 'eu-west']);
  });
});

describe('whatever the rows', () => {
  it('the answer does not depend on the order of versions; once written all are equal, and nothing more is to be done', () => {
    const layers = new Set<string>();
    const shuffled = anyVersions.chain((seen) => fc.tuple(fc.constant(seen), fc.shuffledSubarray([...seen], {minLength: seen.length})));
    fc.assert(
      fc.property(fc.option(anyRule), shuffled, anyAbout, (known, [seen, otherwise], about) => {
        const answer = resolveKey(known, seen, about);
        layers.add(answer.layer);
        expect(resolveKey(known, otherwise, about)).toEqual(answer);
        for (const {region, from} of answer.writes) expect(seen.find((each) => each.region === region)?.row).toEqual(from);
        if (answer.layer === 'person' || answer.layer === 'handler') return;
        const changed = new Set(answer.writes.map(({region}) => region));
        const written = seen.map((each) => (changed.has(each.region) ? {...each, row: answer.row} : each));
        expect(classifyKey(known, written, about).class).toBe('equal');
        expect(resolveKey(known, written, about)).toMatchObject({row: answer.row, writes: []});
      }),
      {numRuns: 3000},
    );
    expect([...layers].toSorted()).toEqual(['dominance', 'handler', 'merge', 'person', 'policy']);
  });

  it('what is merged loses nothing: all versions are contained in the result, and nothing else was chosen', () => {
    fc.assert(
      fc.property(anyRule, anyVersions, (known, seen) => {
        const answer = resolveKey(known, seen, peers);
        if (answer.layer !== 'merge') return;
        const lost = seen.flatMap(({row}) =>
          Object.keys(row ?? {}).filter((column) => !isKept(known, column, row ?? {}, answer.row ?? {})),
        );
        expect(lost).toEqual([]);
      }),
      {numRuns: 2000},
    );
  });
});

/** Whether the value of a column is in the result: the same, or merged into it, or a stamp of an older write. */
function isKept(known: TableRule, column: string, row: Columns, result: Columns): boolean {
  const [value = null, merged = null] = [row[column], result[column]];
  if (value === merged || column === known.hlc || column === known.region) return true;
  // A vector clock has the JSON and the order of a G-counter.
  const kind = column === known.vectorClock ? 'g-counter' : known.merge[column];
  const order = kind === undefined ? null : compareStates(kind, value, merged);
  return order?.ok === true && ['equal', 'before'].includes(order.value);
}
