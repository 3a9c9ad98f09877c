import {linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {refused} from '../../src/lib/errors.ts';
import {earlierOf, findDrill, showDrill} from '../../src/lib/operate/drill-history.ts';
import {checkReportPaths, reportOfError, writeReports} from '../../src/lib/operate/report-files.ts';
import {DRILL_FORMATS, formatDrill} from '../../src/lib/output/drill-formats.ts';
import type {Plan} from '../../src/lib/plan/plan.ts';
import type {State} from '../../src/lib/ports/state.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {drillPlan, failoverPlan, fleet} from '../drill/plans.ts';
import {drillSamples, passed} from '../output/drill-samples.ts';
import {fakeClock} from '../run/fake-clock.ts';
import {memoryState} from '../run/memory-state.ts';

const clock = fakeClock();
let state: State;
let open: OpenFleet;
beforeEach(() => {
  state = memoryState(clock);
  open = {fleet, clock, state: async () => state} as unknown as OpenFleet;
});

/** A drill that came as far as its fault, and to an end. */
async function recorded(id: string, more: Partial<Plan> = {}, outcome: string | null = 'failed'): Promise<void> {
  await clock.sleep(1000);
  state.createRun(id, fleet.name, {...drillPlan(), id, ...more});
  state.append(id, {type: 'run-started', step: null, data: {v: 2, by: 'ana', user: 'ana', token: 't'}});
  state.append(id, {type: 'intent', step: 'inject', data: {action: 'fault.inject', v: 1, says: ''}});
  if (outcome !== null) state.append(id, {type: 'run-ended', step: null, data: {outcome, code: 'x', reason: 'why'}});
}

describe('a drill is found', () => {
  beforeEach(async () => {
    await recorded('drill-20260101-000000-aaaa');
    await recorded('drill-20260102-000000-bbbb', {drill: 'frozen'});
    await recorded('drill-20260103-000000-cccc');
    await recorded('failover-20260104-000000-dddd', {...failoverPlan, kind: 'failover'});
  });
  const found = (name: string) => findDrill(state, fleet.name, name).runId;

  it('by its id, by the beginning of one id only, as the last one, and by its name', () => {
    expect(found('drill-20260101-000000-aaaa')).toBe('drill-20260101-000000-aaaa');
    expect(found('drill-20260101')).toBe('drill-20260101-000000-aaaa');
    expect(found('last')).toBe('drill-20260103-000000-cccc');
    expect(found('region-lost')).toBe('drill-20260103-000000-cccc');
    expect(found('frozen')).toBe('drill-20260102-000000-bbbb');
  });

  it.each([
    ['drill-2026', /begins the ids of 3 runs/u],
    ['failover-2026', /failover-20260104-000000-dddd is a failover, not a drill/u],
    ['failover-20260104-000000-dddd', /is a failover, not a drill/u],
    ['nope', /there is no drill "nope" of the fleet lab/u],
    ['', /there is no drill ""/u],
  ])('or it is said why "%s" is none', (name, message) => {
    expect(() => found(name)).toThrow(expect.objectContaining({exit: 64, message: expect.stringMatching(message)}));
  });

  it('and where none was run, that is said', () => {
    expect(() => findDrill(state, 'another', 'last')).toThrow(/no drill of the fleet another was run yet/u);
  });

  it('with its report, compared with earlier ones of its name', async () => {
    const report = await showDrill(open, 'last');
    expect(report).toMatchObject({
      runId: 'drill-20260103-000000-cccc',
      fleet: 'lab',
      drill: 'region-lost',
      verdict: 'failed',
      verdictCode: 'not-healed',
    });
    expect(report.earlier.map(({runId}) => runId)).toEqual(['drill-20260101-000000-aaaa']);
  });

  it('and one whose process is gone is shown as that', async () => {
    await recorded('drill-20260105-000000-eeee', {}, null);
    expect(await showDrill(open, 'last')).toMatchObject({verdict: 'unknown', verdictCode: 'not-ended', outcome: 'interrupted'});
    state = {...state, holder: () => ({token: 't', pid: 1, user: 'ana', host: 'h', runId: 'drill-20260105-000000-eeee', since: 0})};
    expect(await showDrill(open, 'last')).toMatchObject({verdictCode: 'not-ended', outcome: 'running'});
  });
});

it('looks at the newest twenty, and passes over journals that it cannot read', async () => {
  for (let i = 0; i < 30; i += 1) await recorded(`drill-2026-${i}`);
  state.append('drill-2026-28', {type: 'from-the-future', step: null, data: {}});
  const earlier = earlierOf(state, fleet.name, {runId: 'now', startedAt: null, drill: 'region-lost'});
  expect(earlier.map(({runId}) => runId)).toEqual([29, ...Array.from({length: 19}, (_, i) => 27 - i)].map((i) => `drill-2026-${i}`));
});

describe('a drill that threw', () => {
  const error = refused('gate-refused', 'nothing was done, gate steady-state refuses: the password is hunter2');
  const scrubbing = () => ({
    ...open,
    fleet: {...fleet, secrets: {...fleet.secrets, scrub: (text: string) => text.replaceAll('hunter2', '***')}},
  });

  it('was not started when nothing is on record, and its report says why, without secrets', async () => {
    const plan = drillPlan();
    const gates = plan.gates.map((gate) => ({...gate, says: 'hunter2'}));
    const report = await reportOfError({file: 'd.yaml', open: scrubbing(), plan: {...plan, gates}}, error);
    expect(report).toMatchObject({
      verdict: 'unknown',
      verdictCode: 'not-started',
      code: 'gate-refused',
      drill: 'region-lost',
      startedAt: null,
    });
    expect(report?.objectives.every(({met}) => met === null)).toBe(true);
    expect(JSON.stringify(report)).not.toContain('hunter2');
  });

  it('is told by its file when not even a plan was made', async () => {
    const report = await reportOfError({file: '/drills/monthly.yaml'}, error);
    expect(report).toMatchObject({drill: 'monthly', fleet: null, verdictCode: 'not-started', steps: [], runId: ''});
  });

  it('is told by its journal when it was begun', async () => {
    await recorded('run-1', {}, null);
    const report = await reportOfError({file: 'd.yaml', open, plan: drillPlan()}, error);
    expect(report).toMatchObject({runId: 'run-1', verdictCode: 'not-ended', faults: [{fault: 'lose', provenHealed: false}]});
  });

  it('is not told of when the record cannot be read: it may have begun', async () => {
    const broken = {...open, state: () => Promise.reject(new Error('disk'))} as unknown as OpenFleet;
    expect(await reportOfError({file: 'd.yaml', open: broken, plan: drillPlan()}, error)).toBeNull();
  });
});

describe('the files of a report', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'regionctl-reports-'));
  });
  afterEach(() => rmSync(dir, {recursive: true, force: true}));

  it('cannot both be the same one', async () => {
    const file = join(dir, 'x');
    await expect(checkReportPaths({junit: file, report: file})).rejects.toMatchObject({exit: 64});
  });

  it('cannot be one under two names: another spelling, a link of either kind, capital letters', async () => {
    const file = join(dir, 'drill.xml');
    const refusal = (junit: string, report: string) => checkReportPaths({junit, report}).catch((error: unknown) => error);
    const same = expect.objectContaining({exit: 64, message: expect.stringContaining('name the same file')});
    expect(await refusal(file, `${dir}/./drill.xml`)).toEqual(same);
    expect(await refusal(file, join(dir, 'Drill.XML'))).toEqual(same);
    symlinkSync(dir, join(dir, 'here'));
    expect(await refusal(file, join(dir, 'here', 'drill.xml'))).toEqual(same);
    await writeReports({junit: file}, passed);
    symlinkSync(file, join(dir, 'soft.xml'));
    linkSync(file, join(dir, 'hard.xml'));
    for (const name of ['here/drill.xml', 'soft.xml', 'hard.xml']) expect(await refusal(file, join(dir, name))).toEqual(same);
    expect(await refusal(file, join(dir, 'other.html'))).toBeUndefined();
  });

  it('replace an earlier report of any format and an empty file, and nothing else', async () => {
    const file = join(dir, 'drill.html');
    const check = () => checkReportPaths({report: file}).catch((error: unknown) => error);
    for (const [name, report] of Object.entries(drillSamples)) {
      for (const format of DRILL_FORMATS) {
        writeFileSync(file, await formatDrill(report, format));
        expect(await check(), `${name} as ${format}`).toBeUndefined();
      }
    }
    writeFileSync(file, '');
    expect(await check()).toBeUndefined();
    for (const text of [
      'name: region-lost\nfault: {kind: lose}\n',
      '# Notes\n',
      '<?xml version="1.0"?>\n<testsuites name="mine">',
      '{"a": 1}',
      '\n',
    ]) {
      writeFileSync(file, text);
      expect(await check(), text).toMatchObject({
        exit: 64,
        message: `cannot write ${file}: it is there already, and it is no report of a drill`,
      });
      expect(readFileSync(file, 'utf8')).toBe(text);
    }
    symlinkSync(file, join(dir, 'link.html'));
    await expect(checkReportPaths({report: join(dir, 'link.html')})).rejects.toMatchObject({exit: 64});
  });

  it('are written each for itself: one that cannot be is said, and takes nothing from the other', async () => {
    const [report, junit] = [join(dir, 'drill.md'), join(dir, 'drill.xml')];
    await checkReportPaths({junit, report});
    mkdirSync(report);
    const {said, trouble} = await writeReports({junit, report}, passed);
    expect(said).toEqual([`junit: ${junit}`]);
    expect(trouble).toEqual([`the report was not written: cannot write ${report}: it is a folder`]);
    expect(readFileSync(junit, 'utf8')).toContain('</testsuites>');
  });

  it('are in the format that their names say', async () => {
    for (const [name, begin] of Object.entries({'a.html': '<!DOCTYPE html>', 'a.md': '# Drill region-lost', 'a.json': '{\n'})) {
      await writeReports({report: join(dir, name)}, passed);
      expect(readFileSync(join(dir, name), 'utf8').slice(0, begin.length)).toBe(begin);
    }
  });
});
