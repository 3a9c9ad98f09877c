import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import fc from 'fast-check';
import {expect, it} from 'vitest';
import {parse, stringify} from 'yaml';
import {type DrillAction, drillArguments} from '../../src/lib/drill/arguments.ts';
import {composeDrill} from '../../src/lib/drill/compose-drill.ts';
import {type Drill, readDrill} from '../../src/lib/drill/drill-file.ts';
import {isRegionctlError} from '../../src/lib/errors.ts';
import {describeProblem} from '../../src/lib/fleet/problem.ts';
import type {Plan} from '../../src/lib/plan/plan.ts';
import {LAB_FAULT_KINDS} from '../../src/lib/providers/lab/lab-fault-kinds.ts';
import {labFaultTrouble} from '../../src/lib/providers/lab/lab-fault-order.ts';
import {failoverPlan, inputOf, routedFleet} from './plans.ts';

const DIR = 'examples/drills';
/** Not a shipped one: it shows the parts that they leave out. */
const ALL_PARTS = `
name: all
faults: [{kind: latency, region: ap, lease: 1m, args: {ms: 5, from: us-east}}, {kind: router, region: front-door}]
witness: {every: 20ms, warmUp: 1s, coolDown: 1s, stores: false}
load: {url: "http://127.0.0.1:1", path: /x, method: POST, body: "{n}", rate: 5, deadline: 1s}
reaction: {person: {prompts: [do it], until: [{region: ap, verdict: [healthy]}, {exec: [a], timeout: 1s}], within: 1m}}
detect: {every: 1s, fall: 2, within: 1m, until: [{noAckFor: 1s}]}
objectives: {rto: 1m, rpo: 0s, load: {before: {errorRate: 0.1, p95: 1s}}}
abortIf: [{errorRateAbove: 0.5}, {region: ap, link: streaming}, {lagAbove: 5m}]
setUp: {switchover: {to: us-east}}
rollback: failback
evidence: [journal]
`;
const texts = [ALL_PARTS, ...readdirSync(DIR).map((name) => readFileSync(join(DIR, name), 'utf8'))];
const regions = routedFleet.regions.map(({name}) => name);
const faults = {
  kinds: Object.keys(LAB_FAULT_KINDS),
  accepts: (...[order, beside]: Parameters<NonNullable<import('../../src/lib/ports/fault.ts').Fault['accepts']>>) =>
    labFaultTrouble(order, beside, regions),
};

const odd = fc.oneof(
  fc.constantFrom<unknown>(null, '', ' ', true, 0, -1, 0.5, 1e21, 1e308, Number.NaN, Number.POSITIVE_INFINITY, [], {}, [null], [[]], [{}], {
    a: {b: 1},
  }),
  fc.constantFrom<unknown>(
    'primary',
    'us-east',
    'front-door',
    '0s',
    '1ms',
    '576h',
    '577h',
    '99999999999999999999h',
    '-1s',
    '__proto__',
    'toString',
  ),
  fc.constantFrom<unknown>('∞ ünïcode ☃', '\u0000\u001b[31m', 'x'.repeat(2000), `\${env:HOME}`, 'file:///etc/passwd', [1, 'a', {b: null}]),
  fc.integer(),
  fc.double(),
  fc.string({maxLength: 8}),
  fc.jsonValue({maxDepth: 3}),
);
const change = fc.record({
  at: fc.nat(),
  how: fc.constantFrom('put', 'delete', 'add', 'twice'),
  key: fc.oneof(
    fc.constantFrom('prototype', 'constructor', 'x'.repeat(900), '\u0000\u001b[31m', 'rto', 'region', 'kind', 'args', 'to', 'from'),
    fc.string({minLength: 1, maxLength: 6}),
  ),
  value: odd,
});
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;
type Node = {[key: string]: unknown} | unknown[];

/** Every place of the data: what holds it, and its key. */
function placesIn(node: unknown): {holder: Node; key: string}[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, child]) => [{holder: node as Node, key}, ...placesIn(child)]);
}

function changed(text: string, changes: readonly Change[]): string {
  const data: unknown = parse(text);
  for (const {at, how, key, value} of changes) {
    const places = placesIn(data);
    const place = places[at % places.length];
    if (place === undefined) break;
    const {holder} = place;
    const copy: unknown = structuredClone(value);
    if (how === 'delete' && Array.isArray(holder)) holder.splice(Number(place.key), 1);
    else if (how === 'delete') Reflect.deleteProperty(holder, place.key);
    else if (Array.isArray(holder)) holder.push(how === 'twice' ? structuredClone(holder[Number(place.key)]) : copy);
    else holder[how === 'add' ? key : place.key] = copy;
  }
  return stringify(data, {aliasDuplicateObjects: false});
}

/** A drill that is valid can be planned, and its plan can be run. */
function expectRunnable(drill: Drill): void {
  const {kind} = drill.reaction;
  const planned = ['failover', 'switchover', 'failback'].includes(kind);
  const reactionPlan = planned ? {...failoverPlan, kind: kind as Plan['kind']} : null;
  try {
    const {steps, always, abortIf} = composeDrill(inputOf(drill, {fleet: routedFleet, reactionPlan}));
    for (const {do: call} of [...steps, ...always]) {
      const schema = drillArguments[call.action as DrillAction];
      if (schema !== undefined && !(planned && call.action === 'witness.start'))
        expect(schema.safeParse(call.args).error?.issues ?? []).toEqual([]);
    }
    expect(abortIf).toHaveLength(drill.abortIf.length);
  } catch (error) {
    if (!isRegionctlError(error)) throw error;
    expect([error.exit, error.code]).toEqual([77, 'no-traffic']);
  }
}

const RAW =
  /\bundefined\b|\[object|invalid (input|string|key|url|record|element)|too (big|small)|unrecognized|must match pattern|"code":|\p{Cc}|\bat .*:\d+:\d+\)/iu;

function expectPlain(text: string): void {
  const {drill, problems} = readDrill(text, {file: '/d.yaml', cwd: '/', fleet: routedFleet, faults});
  if (drill !== null) {
    expectRunnable(drill);
    return;
  }
  expect(problems.length).toBeGreaterThan(0);
  for (const problem of problems) {
    const line = describeProblem('/d.yaml', problem, '/');
    expect(line).toMatch(/^d\.yaml:\d+:\d+\b.*: ./su);
    expect(`${line} ${problem.suggestion}`).not.toMatch(RAW);
    expect(problem.suggestion).toMatch(/\S/u);
    expect(line.length).toBeLessThan(500);
  }
}

it('a drill file with anything in it changed is valid and can be planned, or is told what is wrong in plain words', () => {
  fc.assert(
    fc.property(fc.constantFrom(...texts), fc.array(change, {minLength: 1, maxLength: 3}), (text, changes) =>
      expectPlain(changed(text, changes)),
    ),
    {numRuns: 400},
  );
});

it('a drill file whose text is cut and mended anywhere is told the same way', () => {
  const signs = fc.oneof(
    fc.constantFrom('', '\t', '[', '{', '}', ': ', '- ', '*a', '&a', '!!map', '? ', '---\n', '"', '#', '|\n', '\ud800', '\u0000'),
    fc.string({maxLength: 4}),
  );
  fc.assert(
    fc.property(fc.constantFrom(...texts), fc.nat(), fc.nat(20), signs, (text, at, cut, put) => {
      const from = at % text.length;
      expectPlain(text.slice(0, from) + put + text.slice(from + cut));
    }),
    {numRuns: 400},
  );
});
