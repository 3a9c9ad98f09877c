/**
 * A column of an audited table. `type` is the base type's name in the catalog (of a domain: what it is made of), `builtin` whether that belongs to
 * pg_catalog, `nullable` whether a NULL may stand in it.
 */
export type Column = {readonly name: string; readonly type: string; readonly builtin: boolean; readonly nullable: boolean};

/** How rows are hashed: `exact` by the functions of each type, `text` by what the server prints, where servers of different versions are compared. */
export type Form = 'exact' | 'text';

type Hash = {
  /** The value, never NULL. */
  readonly value: (column: string) => string;
  /** What stands for NULL. A bitmap of NULLs is hashed too, so that it cannot be taken for a value. */
  readonly blank: string;
  /** `place` of the column in its chain, from 0. */
  readonly hash: (value: string, seed: string, place: number) => string;
};

const asText = (value: string): string => `${value}::pg_catalog.text`;

/** As the function of its type prints it, which is what replication carries: casts to text may be anybody's, and take things away. */
const asPrinted = (value: string): string => `pg_catalog.concat(${value})`;

const hashText = (value: string, seed: string): string => `pg_catalog.hashtextextended(${value}, ${seed})`;

/** What the server prints, byte by byte: with a collation that is not deterministic different texts would hash alike. */
const TEXT: Hash = {value: (column) => `${asText(column)} collate pg_catalog."C"`, blank: "''", hash: hashText};

const PRINTED: Hash = {...TEXT, value: (column) => `${asPrinted(column)} collate pg_catalog."C"`};

/** Another type with the same values, of which each prints as a text of its own, and on every version as the same one. */
const textAs = (type: string): Hash => ({...TEXT, value: (column) => TEXT.value(`${column}::pg_catalog.${type}`)});

/** Printed as hex it takes twice its room, and there is a limit of 1 GB: beyond 1 MiB its SHA-256 stands for it. */
const BYTEA: Hash = {
  ...TEXT,
  value: (column) =>
    `(case when pg_catalog.octet_length(${column}) > 1048576 then pg_catalog.concat('sha256:', pg_catalog.encode(pg_catalog.sha256(${column}), 'hex')) else pg_catalog.encode(${column}, 'hex') end) collate pg_catalog."C"`,
};

/**
 * Types whose cast to text is not what tells their values apart. `bpchar` without a length keeps the blanks that the cast takes off. Replication
 * carries XML without its declaration of an encoding. PostgreSQL 16 prints a "char" beyond 127 otherwise than 15. Overloaded functions and operators
 * have one name.
 */
const PECULIAR: Readonly<Record<string, Hash>> = {
  bpchar: PRINTED,
  xml: PRINTED,
  bytea: BYTEA,
  char: textAs('int4'),
  _char: textAs('int4[]'),
  regproc: textAs('regprocedure'),
  _regproc: textAs('regprocedure[]'),
  regoper: textAs('regoperator'),
  _regoper: textAs('regoperator[]'),
};

/** The function of the type folds 64 bits into 32, so that the value is mixed into the seed as well. */
const INT8: Hash = {
  value: (column) => column,
  blank: '0',
  hash: (value, seed) => `pg_catalog.hashint8extended(${value}, (${value}) # ${seed})`,
};

const hashInt4 = (value: string, seed: string): string => `pg_catalog.hashint4extended(${value}, ${seed})`;

const INT4: Hash = {value: (column) => column, blank: '0', hash: hashInt4};

const UUID: Hash = {
  value: (column) => column,
  blank: "'00000000-0000-0000-0000-000000000000'::pg_catalog.uuid",
  hash: (value, seed) => `pg_catalog.uuid_hash_extended(${value}, ${seed})`,
};

const BOOL: Hash = {value: (column) => `${column}::pg_catalog.int4`, blank: '0', hash: INT4.hash};

/** 2^64 by the golden ratio: its multiples have nothing in common (Knuth, The Art of Computer Programming 3, 6.4). */
const GOLDEN = 0x9e3779b97f4a7c15n;

/**
 * Seconds as a double tell every microsecond apart as long as they are below 2^33: to the year 2242. Outside, and for infinity, what is printed is
 * mixed into the seed. The function of doubles answers 0 with its seed as it is, so that 1970 would leave no trace of the column that it is in: the
 * seed is joined with a number of that column's own.
 */
const timestamp = (type: string): Hash => ({
  value: (column) => column,
  blank: `'2000-01-01 00:00:00'::pg_catalog.${type}`,
  hash: (value, seed, place) => {
    const near = `${value} > '1700-01-01'::pg_catalog.${type} and ${value} < '2240-01-01'::pg_catalog.${type}`;
    const mark = `'${BigInt.asIntN(64, BigInt(place + 1) * GOLDEN)}'::pg_catalog.int8`;
    const mixed = `case when ${near} then ${mark} else ${hashText(asText(value), mark)} end`;
    return `pg_catalog.hashfloat8extended(pg_catalog.date_part('epoch', ${value}), ${seed} # ${mixed})`;
  },
});

/** Types with a function of their own that is as exact as what is printed, and cheaper. Everything else is printed: always exact. */
const EXACT: Readonly<Record<string, Hash>> = {
  int2: INT4,
  int4: INT4,
  int8: INT8,
  uuid: UUID,
  bool: BOOL,
  timestamp: timestamp('timestamp'),
  timestamptz: timestamp('timestamptz'),
};

function hashOf({type, builtin}: Column, form: Form): Hash {
  if (!builtin) return PRINTED;
  return PECULIAR[type] ?? (form === 'exact' ? EXACT[type] : undefined) ?? TEXT;
}

/** The value of a column of the row `x` as the server prints it; NULL stays NULL. */
export function printSql({name, type, builtin}: Column): string {
  const column = place(name);
  // A row of nothing but NULLs IS NULL, and is there.
  return builtin && !['bpchar', 'xml'].includes(type)
    ? asText(column)
    : `case when pg_catalog.num_nulls(${column}) = 0 then ${asPrinted(column)} end`;
}

/** So many bits fit the bitmap of NULLs that one hash takes. */
const BITS = 30;

/** So many columns are hashed in one chain: each is a call within the next one, and servers limit how deep calls may lie. */
const CHAIN = 100;

/** An arbitrary first seed: a row of nothing must not be 0. */
const SEED = '7310868735423103841';

/**
 * The 64-bit hash of some columns of the row `x`, as SQL: each column is hashed with the hash of those before it as its seed, so that values cannot
 * move from one column to another unseen. Columns go by their names, since their order may differ between members. Where there are many, the hashes of
 * several chains are hashed in a further one.
 */
export function hashSql(columns: readonly Column[], form: Form): string {
  const ordered = columns.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const [only = SEED, ...others] = chunksOf(ordered, CHAIN).map((some) => chainSql(some, form));
  return others.reduce((seed, chain) => hashText(asText(chain), seed), only);
}

function chainSql(columns: readonly Column[], form: Form): string {
  const nullable = columns.filter((column) => column.nullable);
  const bitmaps = chunksOf(nullable, BITS).map((some) =>
    // SQL shifts and joins bits with the same precedence.
    some.map(({name}, index) => `((${place(name)} is null)::pg_catalog.int4 << ${index})`).join(' | '),
  );
  const seeded = bitmaps.reduce((seed, bits) => hashInt4(bits, seed), SEED);
  return columns.reduce((seed, column, index) => {
    const {value, blank, hash} = hashOf(column, form);
    const own = value(place(column.name));
    return hash(column.nullable ? `coalesce(${own}, ${blank})` : own, seed, index);
  }, seeded);
}

const place = (name: string): string => `x.${nameSql(name)}`;

/** A name as SQL reads it literally. Whatever it holds, it is one that the server has told. */
export const nameSql = (name: string): string => `"${name.replaceAll('"', '""')}"`;

function chunksOf<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({length: Math.ceil(all.length / size)}, (_, index) => all.slice(index * size, (index + 1) * size));
}
