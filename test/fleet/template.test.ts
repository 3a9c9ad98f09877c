import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Ajv2020} from 'ajv/dist/2020.js';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {parse} from 'yaml';
import {fleetJsonSchema} from '../../src/lib/fleet/json-schema.ts';
import {kindsOf} from '../../src/lib/fleet/kinds.ts';
import {loadFleet} from '../../src/lib/fleet/load.ts';
import {fleetTemplate} from '../../src/lib/fleet/template.ts';
import {writeFleetFile} from '../../src/lib/fleet/write-file.ts';
import {standIns} from './kinds.ts';

const dir = mkdtempSync(join(tmpdir(), 'regionctl-template-'));
const file = join(dir, 'regionctl.yaml');
const kinds = kindsOf(standIns);
const regions = ['us-east', 'eu-west', 'ap'];
const plain = fleetTemplate({name: 'shop', regions});
/** The template with its examples in force. */
const everything = plain.replaceAll(/^#((?: {2}| {4}| {6})?\S.*)$/gm, '$1');
const valid = new Ajv2020({allErrors: true, allowUnionTypes: true}).compile(fleetJsonSchema(standIns));

beforeAll(() => {
  mkdirSync(join(dir, 'secrets'));
  writeFileSync(join(dir, 'secrets/regionctl'), 'secret\n', {mode: 0o600});
});
afterAll(() => rmSync(dir, {recursive: true}));

async function load(text: string) {
  writeFileSync(file, text);
  return loadFleet(file, kinds, {});
}

describe('the file that init writes', () => {
  it('loads once its secret exists', async () => {
    const fleet = await load(plain);
    expect(fleet.regions.map(({name, jurisdiction, tier}) => `${name} ${jurisdiction} ${tier}`)).toEqual([
      'us-east US hot',
      'eu-west EU hot',
      'ap SG warm',
    ]);
    expect(fleet.stores[0]?.members.map(({config}) => config)).toMatchObject(
      regions.map((region) => ({address: {host: `db.${region}.example.com`, port: 5432}})),
    );
  });

  it('loads with its examples in force', async () => {
    const fleet = await load(everything);
    expect(fleet).toMatchObject({
      routes: [{name: 'front-door'}],
      fault: {kind: 'lab'},
      witness: {everyMs: 20},
      hooks: {'page-oncall': {timeoutMs: 30_000}},
      drills: {
        calendar: [{name: 'region-lost', every: {text: 'month', period: 'month'}, graceMs: 3 * 86_400_000, file: null}],
        readiness: {every: {text: '7d', ms: 7 * 86_400_000}, graceMs: 86_400_000},
      },
      metrics: [{name: 'prometheus', timeoutMs: 20_000, metrics: {kind: 'prometheus'}}],
      capacity: {
        series: [{name: 'requests', purpose: 'throughput', grain: 'hourly', regions: regions.map((region) => ({region, limit: 1000}))}],
      },
    });
  });

  it('loads for one region, and for names that YAML would read as something else', async () => {
    expect((await load(fleetTemplate({name: 'null', regions: ['true']}))).regions[0]?.name).toBe('true');
  });

  it('refuses names that no fleet file can have', () => {
    expect(() => fleetTemplate({name: 'a: b', regions})).toThrow('"a: b" is not a name');
    expect(() => fleetTemplate({name: 'a', regions: ['x', 'x']})).toThrow('named twice');
    expect(() => fleetTemplate({name: 'a', regions: []})).toThrow('at least one region');
  });
});

describe('the JSON Schema', () => {
  it('accepts the template, with and without its examples', () => {
    for (const text of [plain, everything]) expect(valid(parse(text)), JSON.stringify(valid.errors)).toBe(true);
  });

  it.each(readdirSync(join(import.meta.dirname, 'valid')))('accepts %s', (name) => {
    const document: unknown = parse(readFileSync(join(import.meta.dirname, 'valid', name, 'fleet.yaml'), 'utf8'));
    expect(valid(document), JSON.stringify(valid.errors)).toBe(true);
  });

  it.each([
    ['an unknown kind', 'probe: http', 'probe: htpp'],
    ['an unknown key of a provider', 'expectStatus: 200', 'expectState: 200'],
    ['a wrong duration', 'rto: 15m', 'rto: soon'],
    ['a literal secret', `\${file:secrets/regionctl}`, 'hunter2'],
    ['a wrong tier', 'tier: hot', 'tier: lukewarm'],
    ['a missing key of a member', '        address: db.us-east.example.com:5432', '        site: null'],
    ['an unknown key of a member', '        region: us-east', '        region: us-east\n        adress: x'],
    ['another version', 'version: 1', 'version: 2'],
  ])('refuses %s', (_, from, to) => {
    const wrong = plain.split('\n').map((line) => (line.startsWith('#') ? line : line.replace(from, to)));
    expect(wrong.join('\n')).not.toBe(plain);
    expect(valid(parse(wrong.join('\n')))).toBe(false);
  });

  it('describes every field', () => {
    const bare = fieldsWithoutDescription(fleetJsonSchema([]) as Schema, '');
    expect(bare).toEqual([]);
  });
});

type Schema = {properties?: Record<string, Schema>; additionalProperties?: Schema; description?: string; anyOf?: Schema[]};

function fieldsWithoutDescription(schema: Schema, path: string): readonly string[] {
  const nested = [...(schema.additionalProperties === undefined ? [] : [schema.additionalProperties]), ...(schema.anyOf ?? [])];
  const inner = nested.flatMap((one) => fieldsWithoutDescription(one, path));
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, field]) => {
    const described = field.description !== undefined || (field.anyOf ?? []).some((one) => one.description !== undefined);
    return [...(described ? [] : [`${path}.${key}`]), ...fieldsWithoutDescription(field, `${path}.${key}`)];
  });
  return [...inner, ...own];
}

describe('the example of the documentation', () => {
  it('loads, and fits the JSON Schema', async () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/fleet-file.md'), 'utf8');
    const [, example = ''] = /```yaml\n(.*?)```/s.exec(page) ?? [];
    writeFileSync(file, example);
    expect((await loadFleet(file, kinds, {ROUTER_TOKEN: 'x'})).hooks).toHaveProperty('page-oncall');
    expect(valid(parse(example)), JSON.stringify(valid.errors)).toBe(true);
  });
});

describe('writing the file', () => {
  it('never over another one, unless forced', async () => {
    const path = join(dir, 'new.yaml');
    await writeFleetFile(path, 'one');
    await expect(writeFleetFile(path, 'two')).rejects.toMatchObject({
      code: 'usage',
      exit: 64,
      message: expect.stringContaining('exists already'),
    });
    expect(readFileSync(path, 'utf8')).toBe('one');
    await writeFleetFile(path, 'two', {force: true});
    expect(readFileSync(path, 'utf8')).toBe('two');
    await expect(writeFleetFile(join(dir, 'no/such/folder.yaml'), 'x')).rejects.toMatchObject({exit: 64});
    expect(readdirSync(dir).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('lets one of many concurrent writers win', async () => {
    const path = join(dir, 'raced.yaml');
    const results = await Promise.allSettled(['a', 'b', 'c', 'd'].map((text) => writeFleetFile(path, text.repeat(10_000))));
    expect(results.filter(({status}) => status === 'fulfilled')).toHaveLength(1);
    expect(readFileSync(path, 'utf8')).toMatch(/^(a+|b+|c+|d+)$/);
  });
});
