/** What regions have of a key, by construction: in the order of REGIONS; null = no row. `class` null = it is the same everywhere. */
export type Case = {
  readonly table: 'orders' | 'profiles' | 'likes' | 'members';
  readonly key: string;
  readonly rows: readonly (Row | null)[];
  readonly class: 'missing' | 'stale' | 'concurrent' | null;
  readonly regions: readonly string[];
  readonly suspects: readonly string[];
  /** What all regions have after a repair. */
  readonly final: Row;
};
export type Row = Readonly<Record<string, unknown>>;

export const REGIONS = ['us-east', 'eu-west', 'ap'] as const;

const HLC = 1_790_000_000_000n << 16n;

/** So many keys of each table, in turn equal, late in one region, missing, deleted in one, and written by two that did not see each other. */
export function conflictingWrites(perTable: number): readonly Case[] {
  return Array.from({length: perTable}, (_, index) => [orderCase(index), profileCase(index), likesCase(index), membersCase(index)]).flat();
}

type Part = Pick<Case, 'rows' | 'class' | 'regions' | 'suspects' | 'final'>;

/** One region, another one for each case, has it otherwise than the two others. */
function oneOff(index: number, row: Row | null, others: Row, kind: 'missing' | 'stale'): Part {
  const off = index % 3;
  const rows = REGIONS.map((_, at) => (at === off ? row : others));
  return {rows, class: kind, regions: [REGIONS[off] ?? ''], suspects: [], final: others};
}

const equal = (row: Row): Part => ({rows: REGIONS.map(() => row), class: null, regions: [], suspects: [], final: row});

function orderCase(index: number): Case {
  const id = String(1000 + index);
  const row = (hlc: bigint, region: string, more: Row = {}): Row => ({
    ...{id, ref: `c-${id}`, item: 'book', quantity: 1, created_at: '2026-11-01T00:00:00+00:00', deleted: false},
    ...{hlc: String(hlc), region, ...more},
  });
  const [older, newer] = [row(HLC, 'ap'), row(HLC + 7n, 'eu-west', {quantity: 2})];
  const parts: readonly (() => Part)[] = [
    () => equal(older),
    () => oneOff(index, older, newer, 'stale'),
    () => oneOff(index, null, older, 'missing'),
    () => {
      const deleted = row(HLC + 9n, 'us-east', {deleted: true});
      const off = index % 3;
      const others = REGIONS.filter((_, at) => at !== off);
      return {
        rows: REGIONS.map((_, at) => (at === off ? deleted : older)),
        class: 'stale',
        regions: others,
        suspects: ['lost-delete'],
        final: deleted,
      };
    },
    () => {
      // One time of two writers: the name of the region decides, by its bytes.
      const [one, other] = [row(HLC, 'us-east', {quantity: 5}), row(HLC, 'eu-west', {quantity: 6})];
      return {rows: [one, other, one], class: 'concurrent', regions: REGIONS, suspects: [], final: one};
    },
  ];
  return {table: 'orders', key: id, ...pick(parts, index)};
}

function profileCase(index: number): Case {
  const id = `user-${index}`;
  const version = (region: string, count: number) => ({
    [`${region}:${count}`]: {clock: {[region]: count}, value: {name: `${region} ${count}`}},
  });
  const row = (...versions: readonly object[]): Row => ({id, versions: Object.assign({}, ...versions)});
  const parts: readonly (() => Part)[] = [
    () => equal(row(version('ap', 1))),
    () => oneOff(index, row(version('us-east', 1)), row(version('us-east', 2)), 'stale'),
    () => oneOff(index, null, row(version('us-east', 2)), 'missing'),
    () => concurrent(row(version('us-east', 1)), row(version('eu-west', 1)), row(version('us-east', 1), version('eu-west', 1))),
  ];
  return {table: 'profiles', key: id, ...pick(parts, index)};
}

function likesCase(index: number): Case {
  const post = `post-${index}`;
  const row = (counts: object): Row => ({post, counts});
  const parts: readonly (() => Part)[] = [
    () => equal(row({ap: [1, 1]})),
    () => oneOff(index, row({'us-east': [1, 0]}), row({'us-east': [2, 1]}), 'stale'),
    () => oneOff(index, null, row({ap: [3, 0]}), 'missing'),
    () => concurrent(row({'us-east': [4, 1]}), row({'eu-west': [2, 0]}), row({'us-east': [4, 1], 'eu-west': [2, 0]})),
  ];
  return {table: 'likes', key: post, ...pick(parts, index)};
}

function membersCase(index: number): Case {
  const team = `team-${index}`;
  const row = (adds: object, removes: object = {}): Row => ({team, members: {adds, removes}});
  const [ann, bob] = [{'us-east:1': 'ann'}, {'eu-west:1': 'bob'}];
  const parts: readonly (() => Part)[] = [
    () => equal(row(ann)),
    () => oneOff(index, row(ann), row({...ann, ...bob}), 'stale'),
    () => oneOff(index, null, row(bob), 'missing'),
    () => concurrent(row(ann), row(bob), row({...ann, ...bob})),
    () => {
      const left = row(ann, {'us-east:1': true});
      const off = index % 3;
      const others = REGIONS.filter((_, at) => at !== off);
      return {
        rows: REGIONS.map((_, at) => (at === off ? left : row(ann))),
        class: 'stale',
        regions: others,
        suspects: ['lost-delete'],
        final: left,
      };
    },
  ];
  return {table: 'members', key: team, ...pick(parts, index)};
}

/** Two regions wrote without seeing each other, the third has what the first one has. */
const concurrent = (one: Row, other: Row, final: Row): Part => ({
  ...{rows: [one, other, one], class: 'concurrent', regions: REGIONS, suspects: [], final},
});

const pick = (parts: readonly (() => Part)[], index: number): Part => (parts[index % parts.length] as () => Part)();
