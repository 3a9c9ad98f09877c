import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {classifyKey} from '../../../src/lib/consistency/causality/classify.ts';
import {resolveKey} from '../../../src/lib/consistency/causality/resolve.ts';
import {type About, NO_RULE, type RowVersion} from '../../../src/lib/consistency/causality/version.ts';
import type {TableRule} from '../../../src/lib/fleet/fleet.ts';

/** A case: what is not said of the rule, the circumstances and the versions is as in a fleet file that says nothing. */
type Case = {
  readonly rule: Partial<TableRule> | null;
  readonly about: Partial<About>;
  readonly versions: Readonly<Record<string, Pick<RowVersion, 'row'> & Partial<RowVersion>>>;
};

const golden = join(import.meta.dirname, '../../golden/consistency');
const cases = readdirSync(golden);

function answer(name: string) {
  const {rule, about, versions} = JSON.parse(readFileSync(join(golden, name, 'input.json'), 'utf8')) as Case;
  const known = rule === null ? null : {...NO_RULE, ...rule};
  const seen = Object.entries(versions).map(([region, version]) => ({region, committedAt: null, origin: null, ...version}));
  const all: About = {primary: null, wall: null, regions: ['us-east', 'eu-west', 'ap'], ...about};
  return {classified: classifyKey(known, seen, all), resolved: resolveKey(known, seen, all)};
}

describe('a key is classified and resolved as it is written down', () => {
  it.each(cases)('%s', (name) => {
    const file = join(golden, name, 'expected.json');
    const text = `${JSON.stringify(answer(name), null, 2)}\n`;
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, text);
    expect(text).toBe(readFileSync(file, 'utf8'));
    expect(name.split('-')[0]).toBe(answer(name).resolved.layer);
  });

  it('and the cases have every class, every layer and every suspect', () => {
    const answers = cases.map(answer);
    expect([...new Set(answers.map(({classified}) => classified.class))].toSorted()).toEqual([
      'concurrent',
      'conflicting',
      'equal',
      'extra',
      'missing',
      'stale',
    ]);
    expect([...new Set(answers.map(({resolved}) => resolved.layer))].toSorted()).toEqual([
      'dominance',
      'handler',
      'merge',
      'person',
      'policy',
    ]);
    expect([...new Set(answers.flatMap(({classified}) => classified.suspects))].toSorted()).toEqual(['clock-skew', 'lost-delete']);
  });
});
