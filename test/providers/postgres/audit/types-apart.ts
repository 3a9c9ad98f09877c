import {expect} from 'vitest';
import {type AuditWorld, readTable} from './audit-world.ts';
import {casesOf, typeColumns, typesSql} from './type-cases.ts';
import {TYPE_VALUES} from './type-values.ts';

/** Every two listed values of every type stand against each other in a row of their own: exactly those that differ are found. Answers how it was read. */
export async function expectTypesToldApart(world: AuditWorld): Promise<{readonly says: string}> {
  const types = Object.keys(TYPE_VALUES);
  const cases = casesOf('types', typeColumns(types));
  await world.both(`${typesSql(types)}; ${cases.create}`);
  await world.each(cases.a, cases.b);
  const seen = await readTable(world, 'public.types');
  const say = (keys: readonly string[]): readonly string[] => keys.map((key) => cases.of.get(key) ?? key);
  expect(say(cases.differ.filter((key) => !seen.keys.includes(key)))).toEqual([]);
  expect(say(seen.keys.filter((key) => !cases.differ.includes(key)))).toEqual([]);
  expect(seen.rows).toBe(cases.of.size);
  return {says: seen.form.says};
}
