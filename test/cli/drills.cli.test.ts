import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {pastState} from '../operate/past-runs.ts';
import {documentOf, expectSchema, regionctl, shown} from './program.ts';

const DAY = 24 * 3_600_000;
const NOW = Date.now();
const dir = mkdtempSync(join(tmpdir(), 'regionctl-drills-'));
const drill = (name: string, more = '') =>
  `name: ${name}\ndescription: About ${name}.\nscenario: region-lost\nfault: {kind: lose}\n${more}`;

/** A fleet file whose servers are nowhere: these commands ask nothing of the fleet. */
function fleetFile(name: string, drills: string, state = 'state'): string {
  const file = join(dir, name);
  const regions = 'regions:\n  us-east: {jurisdiction: US}\n  eu-west: {jurisdiction: EU}\n  ap: {jurisdiction: SG}\n';
  writeFileSync(file, `version: 1\nfleet: shop\n${regions}state: {kind: sqlite, dir: ${state}}\n${drills}`);
  return file;
}

beforeAll(async () => {
  fleetFile(
    'regionctl.yaml',
    'drills:\n  calendar:\n    region-lost: {every: 30d}\n    checkout: {every: 2w, grace: 0d, file: runbooks/checkout.yaml}\n  readiness: {}\n',
  );
  for (const folder of ['drills', 'runbooks']) mkdirSync(join(dir, folder));
  writeFileSync(join(dir, 'drills/mine.yaml'), drill('mine'));
  writeFileSync(join(dir, 'drills/broken.yaml'), drill('broken', 'nope: 1\n'));
  writeFileSync(join(dir, 'runbooks/checkout.yaml'), drill('checkout'));
  const past = await pastState(join(dir, 'state'));
  past.drill('drill-1', 'region-lost', NOW - 3 * DAY);
  past.drill('drill-2', 'checkout', NOW - 20 * DAY);
  past.drill('drill-3', 'checkout', NOW - DAY, 'missed');
  past.ready(NOW - 2 * DAY, {'us-east eu-west': true, 'us-east ap': true});
  past.close();
});
afterAll(() => rmSync(dir, {recursive: true, force: true}));

describe('drill due', () => {
  it('says what is owed, and ends with 1', async () => {
    const [text, json, nagios] = await Promise.all(
      [[], ['--json'], ['--format', 'nagios']].map((more) => regionctl(['drill', 'due', ...more], {cwd: dir})),
    );
    for (const result of [text, json, nagios]) expect(result, result && shown(result)).toMatchObject({status: 1, stderr: ''});
    const lines = (text?.stdout ?? '').split('\n');
    expect(lines.slice(0, 3)).toEqual(['shop: overdue: checkout', '', 'DRILL        EVERY  STATE    LAST PASSED  NEXT DUE']);
    expect(lines[3]).toMatch(/^region-lost {2}30d {4}ok {7}3 d ago {6}in 2[67] d( \d+ h)?, \d{4}-\d\d-\d\d$/u);
    expect(lines[4]).toMatch(/^checkout {5}2w {5}overdue {2}20 d ago {5}6 d ago, \d{4}-\d\d-\d\d$/u);
    expect(lines[5]).toMatch(/^ {2}tried 1 d ago, run drill-3: the rpo of user-content was missed/u);
    const document = documentOf(json as NonNullable<typeof json>);
    expectSchema('drill-due', document);
    expect(document).toMatchObject({
      fleet: 'shop',
      verdict: 'owed',
      calendar: [
        {name: 'region-lost', state: 'ok', lastPassed: {runId: 'drill-1'}},
        {name: 'checkout', state: 'overdue', lastPassed: {runId: 'drill-2'}, lastTried: {runId: 'drill-3', counts: false}},
        {name: 'readiness', state: 'ok', lastPassed: {runId: null}},
      ],
    });
    expect(nagios?.stdout).toMatch(
      /^REGIONCTL WARNING - shop: overdue: checkout \| 'region-lost'=\d+s;;;0 'checkout'=\d+s;;;0 'readiness'=\d+s;;;0\n$/u,
    );
  });

  it('ends with 0 when nothing is owed, with 3 when the state cannot tell, and with 0 and a line without a calendar', async () => {
    const good = fleetFile('good.yaml', 'drills: {calendar: {region-lost: {every: 30d}}}\n');
    const none = fleetFile('none.yaml', '');
    writeFileSync(join(dir, 'no-folder'), '');
    const blind = fleetFile('blind.yaml', 'drills: {calendar: {region-lost: {every: 30d}}}\n', 'no-folder');
    const [ok, plain, unknown] = await Promise.all([good, none, blind].map((file) => regionctl(['drill', 'due', '--fleet', file])));
    expect(ok, ok && shown(ok)).toMatchObject({status: 0, stdout: expect.stringMatching(/^shop: nothing is owed\n/u)});
    expect(plain, plain && shown(plain)).toMatchObject({status: 0, stdout: expect.stringMatching(/^shop has no calendar: add "drills: /u)});
    expect(unknown, unknown && shown(unknown)).toMatchObject({status: 3, stdout: expect.stringContaining('the state cannot be read')});
  });
});

describe('drill list', () => {
  it('lists what can be run by name, with the last run of each', async () => {
    const [text, json] = await Promise.all([[], ['--json']].map((more) => regionctl(['drill', 'list', ...more], {cwd: dir})));
    expect(text, text && shown(text)).toMatchObject({status: 0, stderr: ''});
    expect(text?.stdout).toMatch(
      /^checkout +region-lost +failed +1 d ago +1\.9 s +3 +runbooks\/checkout\.yaml\n {2}every 2w: About checkout\.$/mu,
    );
    const document = documentOf(json as NonNullable<typeof json>);
    expectSchema('drill-list', document);
    expect(document).toMatchObject({
      fleet: 'shop',
      drills: expect.arrayContaining([
        expect.objectContaining({name: 'checkout', place: 'calendar', every: '2w', last: expect.objectContaining({runId: 'drill-3'})}),
        expect.objectContaining({name: 'mine', place: 'fleet', problem: null, last: null}),
        expect.objectContaining({name: 'broken', problem: expect.stringContaining('drills/broken.yaml:5:1')}),
        expect.objectContaining({name: 'region-lost', place: 'shipped', every: '30d', last: expect.objectContaining({runId: 'drill-1'})}),
      ]),
    });
  });

  it('works without a fleet file, and looks into a folder that is named', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'regionctl-no-fleet-'));
    const result = await regionctl(['drill', 'list', '--dir', join(dir, 'runbooks'), '--json'], {cwd});
    rmSync(cwd, {recursive: true});
    expect(result, shown(result)).toMatchObject({status: 0, stderr: ''});
    const {fleet, drills} = documentOf(result) as {fleet: string | null; drills: {name: string; place: string}[]};
    expect(fleet).toBeNull();
    expect(drills.slice(0, 2)).toMatchObject([{name: 'checkout', place: 'dir'}, {place: 'shipped'}]);
  });
});
