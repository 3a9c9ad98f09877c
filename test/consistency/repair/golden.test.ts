import {existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {type Columns, identityOf, NO_RULE} from '../../../src/lib/consistency/causality/version.ts';
import {type PageJob, resolvePage} from '../../../src/lib/consistency/repair/resolve-page.ts';
import type {TableRule} from '../../../src/lib/fleet/fleet.ts';
import type {TableAudit} from '../../../src/lib/ports/audit.ts';

const golden = join(import.meta.dirname, '../../golden/repair');
const names = readdirSync(golden);

/** `#` in `seen` = the audit saw what is there now; absent = so it did in all regions. `moves`: it is another row at every look. */
type Key = {
  readonly key: string;
  readonly rows: Readonly<Record<string, Columns | null>>;
  readonly seen?: Readonly<Record<string, string>>;
  readonly named?: boolean;
  readonly take?: string;
  readonly answer?: string | null;
  readonly moves?: boolean;
};
type Case = {
  readonly table: string;
  readonly key: readonly string[];
  readonly rule: Partial<TableRule>;
  readonly standbys?: Readonly<Record<string, string>>;
  /** A text that a member does not take. */
  readonly refuses?: Readonly<Record<string, string>>;
  readonly keys: readonly Key[];
};

const hashOf = (row: Columns | null): string | null => (row === null ? null : identityOf(row));
const regions = ['us', 'eu', 'ap'];

function jobOf({table, key, rule, standbys = {}, refuses = {}, keys}: Case): PageJob {
  let looks = 0;
  const find = (id: string): Key => keys.find((each) => each.key === id) ?? expect.fail(`no ${id}`);
  const versions: TableAudit['versions'] = async (member, ids) => {
    looks++;
    return ids.map((id) => {
      const {rows, moves} = find(id);
      const row = rows[member] ?? null;
      return {key: id, hash: moves === true ? `look ${looks}` : hashOf(row), row, committedAt: null, origin: null};
    });
  };
  const columns = [...new Set(keys.flatMap(({rows}) => Object.values(rows).flatMap((row) => Object.keys(row ?? {}))))];
  return {
    ...{store: 'orders', table, audit: {versions} as TableAudit, columns: {columns, key}},
    members: regions.map((region) => ({member: region, region})),
    repair: {
      print: async (member, _table, rows) =>
        rows.map((row) => {
          const refused = refuses[member];
          if (refused !== undefined && Object.values(row).includes(refused)) return {ok: false, reason: `value ${refused}`};
          return {ok: true, row};
        }),
    },
    rule: {...NO_RULE, ...rule},
    about: {primary: null, wall: null, regions},
    standbys: new Map(Object.entries(standbys)),
    handler: (name) => ({
      who: `hook ${name}`,
      ask: async (question) => {
        const {answer} = find(question.key);
        if (typeof answer !== 'string') throw new Error('it ended with exit code 1');
        return answer;
      },
    }),
    settle: async () => {},
    signal: new AbortController().signal,
  };
}

async function told(text: string): Promise<string> {
  const given = JSON.parse(text) as Case;
  const resolved = await resolvePage(
    jobOf(given),
    given.keys.map(({key, rows, seen, named = false, take = null}) => {
      const now = Object.fromEntries(regions.map((region) => [region, hashOf(rows[region] ?? null)]));
      const saw = Object.fromEntries(
        regions.map((region) => [region, seen?.[region] === undefined || seen[region] === '#' ? (now[region] ?? null) : seen[region]]),
      );
      return {key, seen: saw, named, take};
    }),
  );
  return resolved
    .flatMap((each): readonly unknown[] => (each.kind === 'writes' ? each.lines : [each]))
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');
}

describe('what a repair does to keys', () => {
  it.each(names)('%s', async (name) => {
    const file = join(golden, name, 'expected.ndjson');
    const now = await told(readFileSync(join(golden, name, 'case.json'), 'utf8'));
    if (!existsSync(file) && process.env.GOLDEN === 'write') writeFileSync(file, now);
    expect(now).toBe(readFileSync(file, 'utf8'));
  });

  it('does not depend on the order in which regions are read', async () => {
    for (const name of names) {
      const given = JSON.parse(readFileSync(join(golden, name, 'case.json'), 'utf8')) as Case;
      const keys = given.keys.map((key) => ({...key, rows: Object.fromEntries(Object.entries(key.rows).toReversed())}));
      expect(await told(JSON.stringify({...given, keys}))).toBe(readFileSync(join(golden, name, 'expected.ndjson'), 'utf8'));
    }
  });
});
