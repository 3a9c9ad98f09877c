import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {unavailable} from '../../src/lib/errors.ts';
import {validateDrills} from '../../src/lib/operate/drill-validate.ts';
import {drillValidateText} from '../../src/lib/output/drill-validate-text.ts';
import {plainPaint} from '../../src/lib/output/paint.ts';
import type {Fault} from '../../src/lib/ports/fault.ts';
import {LAB_FAULT_KINDS} from '../../src/lib/providers/lab/lab-fault-kinds.ts';
import {labFaultTrouble} from '../../src/lib/providers/lab/lab-fault-order.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {routedFleet} from '../drill/plans.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'regionctl-validate-'));
});
afterEach(() => rmSync(dir, {recursive: true, force: true}));

const regions = routedFleet.regions.map(({name}) => name);

/** `drill validate` of these files on a fleet whose injector cannot have `cannot`; null = it does not answer. */
async function validated(files: Readonly<Record<string, string>>, cannot: Readonly<Record<string, string>> | null = {}) {
  const fault: Pick<Fault, 'kinds' | 'accepts' | 'unavailable'> = {
    kinds: Object.keys(LAB_FAULT_KINDS),
    accepts: (order, beside) => labFaultTrouble(order, beside, regions),
    async unavailable() {
      if (cannot === null) throw unavailable('lab-unreachable', 'the lab does not answer');
      return cannot;
    },
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  const open = {fleet: routedFleet, fault} as unknown as OpenFleet;
  const paths = Object.keys(files).map((name) => join(dir, name));
  return validateDrills(open, paths, {cwd: dir, signal: new AbortController().signal});
}

it('checks each file for itself, and says at which line what the injector cannot have', async () => {
  const document = await validated(
    {
      'big.yaml': `name: big\n# ${'x'.repeat(1024 * 1024)}`,
      'skew.yaml': 'name: skew\nfault: {kind: skew, args: {ms: 5000}}\n',
      'door.yaml': 'name: door\nfault:\n  kind: lose\n  region: front-door\n',
      'good.yaml': 'name: good\nfault: {kind: lose}\n',
    },
    {skew: 'it needs libfaketime'},
  );
  expect(document.valid).toBe(false);
  expect(drillValidateText(document, {columns: 120, paint: plainPaint(), now: 0}).replaceAll(`${dir}/`, '')).toBe(
    [
      'invalid  big.yaml',
      '  1:1: more than 1048576 bytes, which are too many for a drill file',
      '    Name the right file.',
      'invalid  skew.yaml',
      '  2:15 fault.kind: skew cannot be had here: it needs libfaketime',
      '    Install what it needs, or run another drill.',
      'invalid  door.yaml',
      '  4:11 fault.region: front-door is a router: the only fault that it can have is router, not lose',
      '    Name a region: us-east, eu-west, ap.',
      'valid  good.yaml  (good on lab)',
    ].join('\n'),
  );
});

it('says what was not told when the injector does not answer, and still what is wrong without asking', async () => {
  const {drills, valid} = await validated(
    {'a.yaml': 'name: a\nfault: {kind: lose}\n', 'b.yaml': 'name: b\nfault: {kind: latency}\n'},
    null,
  );
  expect(valid).toBe(false);
  expect(drills.map(({valid: good, unsure, problems}) => [good, unsure, problems.map(({message}) => message)])).toEqual([
    [true, ['whether its faults can be had was not told: the lab does not answer'], []],
    [false, [], ['latency needs args.ms, the delay of one way in milliseconds']],
  ]);
});

it('tells the first fifty problems of a file, and how many more there are', async () => {
  const text = `name: many\nfault: {kind: lose}\nsteadyState:\n  before:\n${'    - {nosuch: 1}\n'.repeat(40)}`;
  const document = await validated({'many.yaml': text});
  expect(document).toMatchObject({valid: false, drills: [{valid: false, more: 30}]});
  expect(document.drills[0]?.problems.map(({line}) => line)).toEqual(Array.from({length: 50}, (_, index) => 5 + Math.floor(index / 2)));
  expect(drillValidateText(document, {columns: 120, paint: plainPaint(), now: 0}).split('\n').at(-1)).toBe('  and 30 more problems');
});
