import {execFileSync} from 'node:child_process';
import {mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {describe, expect, it, onTestFinished} from 'vitest';
import {stateError} from '../../src/lib/errors.ts';
import type {CalendarSpec, Fleet} from '../../src/lib/fleet/fleet.ts';
import type {DrillPlaces} from '../../src/lib/operate/drill-files.ts';
import {type DrillListDocument, listDrills} from '../../src/lib/operate/drill-list.ts';
import {findDrill} from '../../src/lib/operate/find-drill.ts';
import {drillLease} from '../../src/lib/operate/leases.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {fleet as plain} from '../drill/plans.ts';
import {tempDir} from '../state/temp-dir.ts';
import {pastState} from './past-runs.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const drill = (name: string, more = '') =>
  `name: ${name}\ndescription: About ${name}.\nscenario: region-lost\nfault: {kind: lose${more}}\n`;

/** A folder with files: each path with its text. The fleet file stands in `fleet/`. */
function world(files: Readonly<Record<string, string>> = {}, calendar: readonly Partial<CalendarSpec>[] = []) {
  const cwd = tempDir();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(cwd, path, '..'), {recursive: true});
    writeFileSync(join(cwd, path), text);
  }
  const entries = calendar.map((one) => ({
    name: 'x',
    every: {text: 'month', period: 'month'} as const,
    graceMs: 0,
    ...one,
    file: one.file == null ? null : join(cwd, one.file),
  }));
  const fleet: Fleet = {...plain, name: 'shop', file: join(cwd, 'fleet/regionctl.yaml'), drills: {calendar: entries, readiness: null}};
  const places = (more: Partial<DrillPlaces> = {}): DrillPlaces => ({root: ROOT, cwd, fleet, ...more});
  const open = (state: OpenFleet['state']) => ({fleet, state}) as OpenFleet;
  const list = (more: Partial<DrillPlaces> = {}, state: OpenFleet['state'] = async () => Promise.reject(new Error('no state'))) =>
    listDrills(more.fleet === null ? null : open(state), places(more));
  return {cwd, places, list, find: (name: string, more: Partial<DrillPlaces> = {}) => findDrill(name, places(more))};
}

const places = ({drills}: DrillListDocument) => drills.filter(({place}) => place !== 'shipped').map(({name, place}) => `${place} ${name}`);

describe('drill list', () => {
  it('lists the drills of the program, with what they show, without a fleet too', async () => {
    const {fleet, drills, notes} = await world().list({fleet: null});
    expect([fleet, notes]).toEqual([null, []]);
    expect(drills.length).toBeGreaterThan(0);
    for (const one of drills)
      expect(one).toMatchObject({place: 'shipped', shown: 'shipped', problem: null, chosen: true, every: null, last: null});
    expect(drills.find(({name}) => name === 'region-lost')?.description).toMatch(/^The region with the primary is .+\.$/);
  });

  it('the nearest first: the files of the calendar, a folder that is named, the one beside the fleet file, the program', async () => {
    const {list} = world({'elsewhere/one.yaml': drill('one'), 'mine/two.yml': drill('two'), 'fleet/drills/three.yaml': drill('three')}, [
      {name: 'one', file: 'elsewhere/one.yaml'},
      {name: 'three'},
    ]);
    const document = await list({dir: 'mine'});
    expect(places(document)).toEqual(['calendar one', 'dir two', 'fleet three']);
    expect(document.drills.at(-1)?.place).toBe('shipped');
    expect(document.drills.slice(0, 3).map(({every, shown}) => [every, shown])).toEqual([
      ['month', 'elsewhere/one.yaml'],
      [null, 'mine/two.yml'],
      ['month', 'fleet/drills/three.yaml'],
    ]);
  });

  it('lists a file of the calendar that is in the folder once, also behind a link', async () => {
    const {list, cwd} = world({'fleet/drills/a.yaml': drill('a')}, [{name: 'a', file: 'fleet/drills/a.yaml'}]);
    symlinkSync(join(cwd, 'fleet/drills/a.yaml'), join(cwd, 'fleet/drills/same.yaml'));
    expect(places(await list())).toEqual(['calendar a']);
  });

  it('those of one place by their names, whatever their files are called', async () => {
    const {list} = world({
      'fleet/drills/1.yaml': drill('part-two'),
      'fleet/drills/2.yaml': drill('part'),
      'fleet/drills/3.yaml': drill('all'),
    });
    expect(places(await list())).toEqual(['fleet all', 'fleet part', 'fleet part-two']);
  });

  it('what cannot be read or is wrong is listed with its problem, and hides nobody', async () => {
    const {list, cwd} = world(
      {
        'fleet/drills/ok.yaml': drill('ok'),
        'fleet/drills/syntax.yaml': 'name: [\n',
        'fleet/drills/empty.yaml': '',
        'fleet/drills/wrong.yaml': `${drill('wrong-one')}nope: 1\n`,
        'fleet/drills/elsewhere.yaml': drill('elsewhere', ', region: mars'),
        'fleet/drills/large.yaml': `#${'x'.repeat(1024 * 1024)}\n`,
        'fleet/drills/README.md': '# no drill',
        'fleet/drills/.hidden.yaml': 'name: [\n',
      },
      [{name: 'gone', file: 'gone.yaml'}],
    );
    mkdirSync(join(cwd, 'fleet/drills/folder.yaml'));
    execFileSync('mkfifo', [join(cwd, 'fleet/drills/pipe.yaml')]);
    const document = await list();
    const told = Object.fromEntries(document.drills.filter(({place}) => place !== 'shipped').map(({name, problem}) => [name, problem]));
    expect(told).toEqual({
      gone: 'there is no file gone.yaml',
      ok: null,
      syntax: expect.stringMatching(/^fleet\/drills\/syntax\.yaml:\d+:\d+: /),
      empty: expect.stringContaining('empty.yaml'),
      'wrong-one': expect.stringMatching(/^fleet\/drills\/wrong\.yaml:5:1 nope: unknown key "nope"/),
      elsewhere: expect.stringMatching(/the fleet shop has no region.* "mars"/),
      large: 'fleet/drills/large.yaml is larger than 1 MiB',
      folder: 'fleet/drills/folder.yaml is no file',
      pipe: 'fleet/drills/pipe.yaml is no file',
    });
    // What is wrong elsewhere still says what it is.
    expect(document.drills.find(({name}) => name === 'wrong-one')).toMatchObject({
      description: 'About wrong-one.',
      scenario: 'region-lost',
    });
  });

  it('a folder that cannot be read is a note, one that was named an error', async () => {
    const {list} = world({'fleet/drills': 'a file'});
    expect((await list()).notes).toEqual([expect.stringContaining('fleet/drills cannot be read'), expect.any(String)]);
    await expect(list({dir: 'fleet/drills'})).rejects.toMatchObject({exit: 64});
  });

  it('a folder that was named must be there', async () => {
    await expect(world().list({dir: 'nowhere'})).rejects.toMatchObject({
      code: 'usage',
      exit: 64,
      message: expect.stringContaining('nowhere cannot be read'),
    });
  });

  it('tells which file a name stands for, and of every other one that it does not', async () => {
    const {list} = world({
      'fleet/drills/mine.yaml': drill('region-lost'),
      'fleet/drills/a.yaml': drill('twice'),
      'fleet/drills/b.yaml': drill('twice'),
    });
    const told = (await list()).drills
      .filter(({name}) => name === 'region-lost' || name === 'twice')
      .map(({shown, chosen, note}) => [shown, chosen, note]);
    expect(told).toEqual([
      ['fleet/drills/mine.yaml', true, null],
      ['fleet/drills/a.yaml', false, 'fleet/drills/b.yaml has the same name: give a path'],
      ['fleet/drills/b.yaml', false, 'fleet/drills/a.yaml has the same name: give a path'],
      ['shipped', false, 'fleet/drills/mine.yaml has the same name and is nearer: give a path for this one'],
    ]);
  });

  it('tells that the calendar has another name for a file', async () => {
    const {list} = world({'a.yaml': drill('a')}, [{name: 'b', file: 'a.yaml'}]);
    expect((await list()).drills[0]).toMatchObject({name: 'a', note: 'the calendar calls it "b", so no run of it counts there'});
  });
});

describe('the last run of each drill', () => {
  const withPast = async () => {
    const past = await pastState(tempDir());
    onTestFinished(() => past.close());
    return past;
  };
  const at = Date.parse('2026-03-01T12:00:00Z');

  it('is the newest one on this fleet, whatever came of it', async () => {
    const past = await withPast();
    past.drill('old', 'region-lost', at);
    past.drill('elsewhere', 'region-lost', at + 3000, 'passed', {fleet: 'other'});
    past.drill('new', 'region-lost', at + 2000, 'missed');
    const {drills, notes} = await world().list({}, async () => past.state);
    expect(notes).toEqual([]);
    expect(drills.find(({name}) => name === 'region-lost')?.last).toEqual({
      runId: 'new',
      at: '2026-03-01T12:00:02.000Z',
      verdict: 'failed',
      verdictCode: 'objective-missed',
      verdictReason: expect.stringContaining('3 writes lost'),
      writeGapMs: 1890,
      lostWrites: 3,
    });
  });

  it.each(['shop', drillLease('shop')])('runs still when a process carries it, under the lease "%s" too', async (name) => {
    const past = await withPast();
    past.drill('now', 'region-lost', at, 'gone');
    const lease = past.state.lease(name, 'now');
    onTestFinished(() => lease.release());
    const {drills} = await world().list({}, async () => past.state);
    expect(drills.find(({name: one}) => one === 'region-lost')?.last).toMatchObject({verdictReason: 'the drill is running'});
  });

  it('what was not measured is null', async () => {
    const past = await withPast();
    past.drill('new', 'region-lost', at, 'unmeasured');
    const {drills} = await world().list({}, async () => past.state);
    expect(drills.find(({name}) => name === 'region-lost')?.last).toMatchObject({verdict: 'unknown', writeGapMs: 1890, lostWrites: null});
  });

  it('a state that cannot be read is a note, and hides no drill', async () => {
    const {drills, notes} = await world().list({}, async () => Promise.reject(stateError('state-corrupt', 'The state file is damaged.')));
    expect(notes).toEqual(['the last runs are not known: The state file is damaged.']);
    expect(drills.length).toBeGreaterThan(0);
  });

  it('is looked for among the newest 200 only, and says so', async () => {
    const past = await withPast();
    past.drill('old', 'region-lost', at);
    past.state.together(() => {
      for (let i = 0; i < 200; i++) past.drill(`other-${i}`, 'other', at + 1000 + i, 'not-started');
    });
    const {drills, notes} = await world().list({}, async () => past.state);
    expect(notes).toEqual(['only the newest 200 runs of drills were looked at']);
    expect(drills.find(({name}) => name === 'region-lost')?.last).toBeNull();
  });
});

describe('findDrill', () => {
  it('takes a path as it is, whether or not it is there', async () => {
    const {find} = world({here: drill('other')});
    expect(await find('drills/a.yaml')).toBe('drills/a.yaml');
    expect(await find('a.yml')).toBe('a.yml');
    expect(await find('./region-lost')).toBe('./region-lost');
    expect(await find('/somewhere/region-lost')).toBe('/somewhere/region-lost');
    expect(await find('here')).toBe('here');
  });

  it('finds a name in the nearest place that has it', async () => {
    const {find, cwd} = world(
      {'c.yaml': drill('region-lost'), 'mine/d.yaml': drill('region-lost'), 'fleet/drills/e.yaml': drill('region-lost')},
      [{name: 'region-lost', file: 'c.yaml'}],
    );
    expect(await find('region-lost', {dir: 'mine'})).toBe(join(cwd, 'c.yaml'));
    const without = world({'mine/d.yaml': drill('region-lost'), 'fleet/drills/e.yaml': drill('region-lost')});
    expect(await without.find('region-lost', {dir: 'mine'})).toBe(join(without.cwd, 'mine/d.yaml'));
    expect(await without.find('region-lost')).toBe(join(without.cwd, 'fleet/drills/e.yaml'));
    expect(await without.find('region-lost', {fleet: null})).toBe(join(ROOT, 'examples/drills/region-lost.yaml'));
  });

  it('finds one that is wrong by the name that it declares or by its file, so that loading it says what is wrong', async () => {
    const {find, cwd} = world({'fleet/drills/x.yaml': `${drill('wrong')}nope: 1\n`, 'fleet/drills/broken.yaml': 'name: [\n'});
    expect(await find('wrong')).toBe(join(cwd, 'fleet/drills/x.yaml'));
    expect(await find('broken')).toBe(join(cwd, 'fleet/drills/broken.yaml'));
  });

  it('is an error that says what was probably meant, or that two have the name', async () => {
    const {find} = world({'fleet/drills/a.yaml': drill('twice'), 'fleet/drills/b.yaml': drill('twice')});
    await expect(find('regoin-lost')).rejects.toMatchObject({
      code: 'usage',
      exit: 64,
      message: 'there is no drill "regoin-lost" beside the fleet file or among those of the program',
      suggestions: ['Did you mean "region-lost"?', 'regionctl drill list shows them; a path works too.'],
    });
    await expect(find('twice')).rejects.toMatchObject({
      exit: 64,
      message: '2 files declare the drill "twice": fleet/drills/a.yaml, fleet/drills/b.yaml',
      suggestions: ['Give the path of one.'],
    });
  });
});
