import {describe, expect, it} from 'vitest';
import {type CatalogRow, toTable} from '../../../../src/lib/providers/postgres/audit/catalog.ts';
import {type Column, hashSql} from '../../../../src/lib/providers/postgres/audit/column-hash.ts';
import {shapeOf} from '../../../../src/lib/providers/postgres/audit/shape.ts';
import {fromSql, keyLists, keySql} from '../../../../src/lib/providers/postgres/audit/statements.ts';

const row = (more: Partial<CatalogRow> = {}): CatalogRow => ({
  ...{schema: 'public', relation: 't', partitioned: false, persistence: 'p', rows: 10, bytes: 8192},
  heaps: [['public', 't', 1]],
  columns: [
    ['id', 'int8', 'pg_catalog', false],
    ['v', 'text', 'pg_catalog', true],
  ],
  key: [['id', 'pg_catalog', '=']],
  stats: null,
  ...more,
});
const table = (more: Partial<CatalogRow> = {}) => toTable(row(more), 'public.t');
const refusal = (a: Partial<CatalogRow>, b: Partial<CatalogRow>): string => {
  try {
    shapeOf({us: table(a), eu: table(b)}, 'exact');
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was not refused');
};
const column = (name: string, more: Partial<Column> = {}): Column => ({name, type: 'text', builtin: true, nullable: false, ...more});

describe('what the copies of a table have in common', () => {
  it('is nothing where columns differ by name, type or who made the type', () => {
    expect(refusal({}, {columns: [['id', 'int8', 'pg_catalog', false]]})).toBe(
      'The columns of public.t are not the same everywhere: v text on us only.',
    );
    expect(
      refusal(
        {},
        {
          columns: [
            ['id', 'int8', 'pg_catalog', false],
            ['v', 'varchar', 'pg_catalog', true],
          ],
        },
      ),
    ).toBe('The columns of public.t are not the same everywhere: v text on us only; v varchar on eu only.');
    expect(
      refusal(
        {},
        {
          columns: [
            ['id', 'int8', 'pg_catalog', false],
            ['v', 'text', 'public', true],
          ],
        },
      ),
    ).toContain('v text (not built in) on eu only');
    // A name may read like a name and a type.
    expect(
      refusal(
        {
          columns: [
            ['id', 'int8', 'pg_catalog', false],
            ['v a', 'b', 'public', true],
          ],
        },
        {
          columns: [
            ['id', 'int8', 'pg_catalog', false],
            ['v', 'a b', 'public', true],
          ],
        },
      ),
    ).toContain('on us only');
  });

  it('is nothing where the key differs, in its order too, or where one cannot be audited', () => {
    expect(refusal({}, {key: null})).toBe('public.t cannot be compared: on eu it has no primary key.');
    expect(refusal({persistence: 'u'}, {})).toBe('public.t cannot be compared: on us it is unlogged, and so is not replicated.');
    const two = (a: string, b: string): CatalogRow['key'] => [
      [a, 'pg_catalog', '='],
      [b, 'pg_catalog', '='],
    ];
    expect(refusal({key: two('id', 'v')}, {key: two('v', 'id')})).toBe('public.t has the primary key (id, v) on us and (v, id) on eu.');
  });

  it('may be NULL where any of them lets it', () => {
    const strict: Partial<CatalogRow> = {
      columns: [
        ['id', 'int8', 'pg_catalog', false],
        ['v', 'text', 'pg_catalog', false],
      ],
    };
    expect(shapeOf({us: table(strict), eu: table()}, 'exact').all.find(({name}) => name === 'v')?.nullable).toBe(true);
    expect(shapeOf({us: table(strict), eu: table(strict)}, 'exact').all.find(({name}) => name === 'v')?.nullable).toBe(false);
  });

  it('has an order only with one integer for a key that lies so on disk', () => {
    const order = (more: Partial<CatalogRow>) => shapeOf({us: table(more), eu: table()}, 'exact').order;
    const large = [['public', 't', 100_000]] as const;
    expect(order({})).toBe('ordered');
    expect(order({heaps: large, stats: [null, 0.1]})).toBe('scattered');
    expect(order({heaps: large, stats: [null, -0.9]})).toBe('ordered');
    expect(
      order({
        columns: [
          ['id', 'int8', 'pg_catalog', false],
          ['v', 'text', 'pg_catalog', true],
        ],
        heaps: large,
      }),
    ).toBe('ordered');
    const text: Partial<CatalogRow> = {key: [['v', 'pg_catalog', '=']]};
    expect(shapeOf({us: table(text), eu: table(text)}, 'exact').order).toBe('scattered');
  });
});

describe('statements', () => {
  it('quote every name', () => {
    const odd = {schema: 'My "s"', relation: 'a\nb', key: [['"k"', 'odd', '=']], columns: [['"k"', 'own', 'my "s"', false]]} as const;
    const {keyColumns} = toTable(row(odd), 'x');
    expect(fromSql(table(odd))).toBe('only "My ""s"""."a\nb" x');
    expect(keyColumns).toMatchObject([{cast: '"my ""s"""."own"', equals: 'operator("odd".=)'}]);
    expect(hashSql(keyColumns, 'exact')).toContain('x."""k"""');
  });

  it('join bits so that none falls on another', () => {
    const sql = hashSql(
      ['a', 'b', 'c'].map((name) => column(name, {nullable: true})),
      'exact',
    );
    expect(sql).toContain(
      '((x."a" is null)::pg_catalog.int4 << 0) | ((x."b" is null)::pg_catalog.int4 << 1) | ((x."c" is null)::pg_catalog.int4 << 2)',
    );
  });

  it('nest no deeper than a hundred columns, however many there are', () => {
    const many = Array.from({length: 1600}, (_, index) => column(`c${index}`, {type: 'int8', nullable: true}));
    let [depth, deepest] = [0, 0];
    for (const letter of hashSql(many, 'exact')) {
      if (letter === '(') deepest = Math.max(deepest, ++depth);
      if (letter === ')') depth--;
    }
    expect(deepest).toBeLessThan(350);
  });

  it('hash columns by their names, whatever order they have', () => {
    const columns = [column('b'), column('a', {type: 'int8'}), column('Z', {nullable: true})];
    expect(hashSql(columns, 'text')).toBe(hashSql(columns.toReversed(), 'text'));
  });

  it('print keys of several columns as JSON, which reads back', () => {
    const key = [column('a'), column('b')].map((each) => ({...each, cast: 'text', equals: '='}));
    expect(keySql({...shapeOf({us: table(), eu: table()}, 'exact'), key})).toBe(
      'pg_catalog.json_build_array(x."a"::pg_catalog.text, x."b"::pg_catalog.text)::pg_catalog.text',
    );
    expect(keyLists({key}, ['["a\\"", "1"]', '["", "2"]'])).toEqual([
      ['a"', ''],
      ['1', '2'],
    ]);
  });
});
