import {writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {describe, expect, it, onTestFinished} from 'vitest';
import {stateError} from '../../src/lib/errors.ts';
import type {DrillsSpec, Fleet} from '../../src/lib/fleet/fleet.ts';
import {readDue} from '../../src/lib/operate/drill-due.ts';
import {keepDrillRecord} from '../../src/lib/operate/drill-record.ts';
import type {Plan} from '../../src/lib/plan/plan.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {fleet as plain} from '../drill/plans.ts';
import {tempDir} from '../state/temp-dir.ts';
import {pastState} from './past-runs.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const DAY = 24 * 3_600_000;
const NOW = Date.parse('2026-03-20T12:00:00Z');
const month = {text: 'month', period: 'month'} as const;
const entry = (name: string) => ({name, every: month, graceMs: 3 * DAY, file: null as string | null});
const WEEKLY = {every: {text: '7d', ms: 7 * DAY}, graceMs: DAY};
const ALL = {'us-east eu-west': true, 'us-east ap': true};

type Past = Awaited<ReturnType<typeof pastState>>;

/** A fleet with a calendar and a state of its own. Only what `drill due` may use is there: it asks nothing of the fleet. */
async function world(drills: Partial<DrillsSpec> = {}) {
  const dir = tempDir();
  const past = await pastState(dir);
  onTestFinished(() => past.close());
  const fleet: Fleet = {
    ...plain,
    name: 'shop',
    file: join(dir, 'regionctl.yaml'),
    drills: {calendar: [entry('region-lost')], readiness: null, ...drills},
  };
  const open = (more: Partial<OpenFleet> = {}) =>
    ({fleet, stateDir: dir, clock: {wall: () => NOW}, state: async () => past.state, ...more}) as OpenFleet;
  const due = async (more: Partial<OpenFleet> = {}) => {
    const {document, exit} = await readDue(open(more), ROOT, dir);
    return {...document, exit, first: document.calendar[0]};
  };
  return {dir, past, due};
}

/** An entry after one try, ten days ago. */
async function afterOne(ending: Parameters<Past['drill']>[3], more?: Parameters<Past['drill']>[4]) {
  const {past, due} = await world();
  past.drill('run-1', 'region-lost', NOW - 10 * DAY, ending, more);
  return due();
}

describe('drill due', () => {
  it('a drill that passed moves it', async () => {
    const {exit, verdict, first, at} = await afterOne('passed');
    expect({exit, verdict, at}).toEqual({exit: 0, verdict: 'ok', at: '2026-03-20T12:00:00.000Z'});
    expect(first).toMatchObject({
      state: 'ok',
      nextDue: '2026-05-01T00:00:00.000Z',
      overdueMs: null,
      lastPassed: {runId: 'run-1', at: '2026-03-10T12:00:00.000Z', verdict: 'passed', counts: true},
      file: join(ROOT, 'examples/drills/region-lost.yaml'),
      problem: null,
    });
  });

  it.each([
    ['missed an objective', 'missed', 'failed', 'objective-missed', 'was missed'],
    ['failed', 'failed', 'failed', 'run-failed', 'us-east was not noticed'],
    ['could not be measured', 'unmeasured', 'unknown', 'not-measured', 'could not be read back'],
    ['was not started', 'not-started', 'unknown', 'not-started', 'us-east is unhealthy'],
    ['whose process is gone', 'gone', 'unknown', 'not-ended', 'runs resume'],
  ] as const)('one that %s does not count, and says why', async (_name, ending, verdict, code, says) => {
    const {exit, first} = await afterOne(ending);
    expect(exit).toBe(1);
    expect(first).toMatchObject({state: 'never', lastPassed: null, lastTried: {runId: 'run-1', verdict, code, counts: false}});
    expect(first?.lastTried?.says).toContain(says);
    expect(first?.says).toBe(`the last try does not count: ${first?.lastTried?.says}`);
  });

  it('one that passed behind an overridden gate does not count; what its file declares does, and so does an override that was not needed', async () => {
    const shut = (by: string, verdict: 'refuse' | 'pass' = 'refuse') => ({
      change: (plan: Plan) => ({
        ...plan,
        gates: plan.gates.map((gate) => (gate.id === 'steady-state' ? {...gate, verdict} : gate)),
        overrides: [{gate: 'steady-state', reason: 'it will do', by}],
      }),
    });
    const byHand = await afterOne('passed', shut('ana@ops1 (pid 4711)'));
    expect(byHand.first).toMatchObject({state: 'never', lastTried: {verdict: 'passed', code: 'overridden', counts: false}});
    expect(byHand.first?.lastTried?.says).toBe('the gate steady-state was passed with --override by ana@ops1 (pid 4711): it will do');
    expect((await afterOne('passed', shut('drills/a (b).yaml (ana@ops1 (pid 4711))'))).first).toMatchObject({state: 'ok'});
    expect((await afterOne('passed', shut('ana@ops1 (pid 4711)', 'pass'))).first).toMatchObject({state: 'ok'});
  });

  it('one whose way back failed does not count, and says so', async () => {
    const {past, due} = await world();
    past.drill('run-1', 'region-lost', NOW - 10 * DAY);
    const row = {kind: 'failback', runId: 'failback-1', outcome: 'failed', says: 'eu-west does not answer', startedAt: null, endedAt: null};
    keepDrillRecord(past.state, 'run-1', {beside: [{when: 'after', ...row}], evidence: []});
    expect((await due()).first).toMatchObject({
      state: 'never',
      lastTried: {code: 'not-rolled-back', counts: false, says: 'the failback after the drill did not succeed: eu-west does not answer'},
    });
  });

  it('drills of other fleets, other names and other kinds do not count', async () => {
    const {past, due} = await world();
    past.drill('other-fleet', 'region-lost', NOW - DAY, 'passed', {fleet: 'shop2'});
    past.drill('other-name', 'region-frozen', NOW - DAY);
    past.drill('other-kind', 'region-lost', NOW - DAY, 'passed', {change: (plan) => ({...plan, kind: 'failover', drill: null})});
    expect((await due()).first).toMatchObject({state: 'never', lastTried: null, says: 'it never ran on this fleet'});
  });

  it('finds the last one that counts behind those that do not, whatever order they were written in', async () => {
    const {past, due} = await world({calendar: [entry('region-lost'), entry('region-frozen')]});
    past.drill('new', 'region-lost', NOW - 41 * DAY);
    past.drill('old', 'region-lost', NOW - 300 * DAY);
    past.state.together(() => {
      for (let i = 0; i < 30; i++) past.drill(`failed-${i}`, 'region-lost', NOW - (40 - i) * DAY, 'failed');
    });
    past.drill('other', 'region-frozen', NOW - 5 * DAY);
    const {exit, calendar} = await due();
    expect(exit).toBe(0);
    expect(calendar[0]).toMatchObject({state: 'ok', lastPassed: {runId: 'new'}, lastTried: {runId: 'failed-29'}});
    expect(calendar[1]).toMatchObject({state: 'ok', lastPassed: {runId: 'other'}});
  });

  it('is overdue when nothing passed in time, with by how much', async () => {
    const {past, due} = await world();
    past.drill('old', 'region-lost', Date.parse('2026-01-31T23:00:00Z'));
    const {exit, verdict, first} = await due();
    expect({exit, verdict}).toEqual({exit: 1, verdict: 'owed'});
    expect(first).toMatchObject({
      state: 'overdue',
      nextDue: '2026-03-01T00:00:00.000Z',
      overdueMs: 19.5 * DAY,
      says: 'it was not tried since',
    });
  });

  it('cannot tell what a run that cannot be read was: only where it matters', async () => {
    const {past, due, dir} = await world({calendar: [entry('region-lost'), entry('region-frozen')]});
    past.drill('broken', 'region-lost', NOW - 60 * DAY);
    past.drill('good', 'region-frozen', NOW - 5 * DAY);
    const db = new DatabaseSync(join(dir, 'state.db'));
    db.exec('DROP TRIGGER runs_no_update');
    db.exec("UPDATE runs SET plan = '{' WHERE run_id = 'broken'");
    db.close();
    const {exit, verdict, calendar} = await due();
    expect({exit, verdict}).toEqual({exit: 3, verdict: 'unknown'});
    expect(calendar[0]).toMatchObject({state: 'unknown', says: expect.stringContaining('the run broken cannot be read')});
    expect(calendar[1]).toMatchObject({state: 'ok'});
  });

  it('cannot tell anything without a state', async () => {
    const {due} = await world({readiness: WEEKLY});
    const {exit, verdict, calendar} = await due({
      state: async () => Promise.reject(stateError('state-corrupt', 'The state file is damaged.')),
    });
    expect({exit, verdict}).toEqual({exit: 3, verdict: 'unknown'});
    expect(calendar).toMatchObject([
      {name: 'region-lost', state: 'unknown'},
      {name: 'readiness', state: 'unknown'},
    ]);
    expect(calendar[0]?.says).toBe('the state cannot be read: The state file is damaged.');
  });

  it('says in one line that there is no calendar, and how to add it; the state is not opened for that', async () => {
    const {due, dir} = await world({calendar: []});
    const {exit, verdict, calendar, notes} = await due({state: () => Promise.reject(new Error('opened'))});
    expect({exit, verdict, calendar}).toEqual({exit: 0, verdict: 'ok', calendar: []});
    expect(notes).toEqual([
      `shop has no calendar: add "drills: {calendar: {region-lost: {every: month}}, readiness: {every: 7d}}" to ${join(dir, 'regionctl.yaml')}`,
    ]);
  });

  it('a state without a single run is said to be one, since it may be the wrong one', async () => {
    const {due, past} = await world();
    expect((await due()).notes).toEqual([expect.stringContaining('no run of shop is in')]);
    past.drill('any', 'any', NOW - DAY);
    expect((await due()).notes).toEqual([]);
  });

  it('tells an entry whose file is not there, is another drill, or was never there', async () => {
    const other = join(tempDir(), 'b.yaml');
    writeFileSync(other, 'name: c\nscenario: region-lost\nfault: {kind: lose}\n');
    const {due} = await world({
      calendar: [{...entry('a'), file: '/nowhere/a.yaml'}, {...entry('b'), file: other}, entry('regoin-lost'), entry('region-lost')],
    });
    const {calendar} = await due();
    expect(calendar.map(({problem}) => problem)).toEqual([
      'there is no file /nowhere/a.yaml',
      `${other} declares the drill "c"`,
      'there is no drill "regoin-lost": did you mean "region-lost"?',
      null,
    ]);
  });
});

describe('readiness', () => {
  const checked = async (...checks: readonly (readonly [number, Readonly<Record<string, boolean>>])[]) => {
    const {past, due} = await world({calendar: [], readiness: WEEKLY});
    for (const [days, ways] of checks) past.ready(NOW - days * DAY, ways);
    return due();
  };

  it('a check that found every way open counts for a week', async () => {
    const {exit, first, notes} = await checked([2, ALL]);
    expect({exit, notes}).toEqual({exit: 0, notes: []});
    expect(first).toMatchObject({kind: 'readiness', name: 'readiness', every: '7d', state: 'ok', nextDue: '2026-03-25T12:00:00.000Z'});
    expect(first?.lastPassed).toMatchObject({runId: null, at: '2026-03-18T12:00:00.000Z', says: 'every way was open'});
    expect((await checked([7.5, ALL])).first).toMatchObject({state: 'due'});
    expect(await checked([8.5, ALL])).toMatchObject({exit: 1, first: {state: 'overdue'}});
  });

  it('one with a way that was shut does not, and names it', async () => {
    const {exit, first} = await checked([2, {...ALL, 'us-east ap': false}]);
    expect(exit).toBe(1);
    expect(first).toMatchObject({state: 'never', lastTried: {verdict: 'failed', says: 'not ready: us-east to ap'}});
    expect((await checked([9, ALL], [1, {...ALL, 'us-east eu-west': false}])).first).toMatchObject({
      state: 'overdue',
      says: 'the last try does not count: not ready: us-east to eu-west',
    });
  });

  it('one that looked at a part of the ways does not, and says at which it did not look', async () => {
    expect((await checked([2, {'us-east eu-west': true}])).first?.lastTried).toMatchObject({
      counts: false,
      says: 'it did not look at us-east to ap',
    });
    // Two regions hold primaries: each has to have a way to every other one.
    const both = {...ALL, 'ap us-east': true, 'ap eu-west': true};
    expect((await checked([2, both])).first).toMatchObject({state: 'ok'});
  });

  it('was never checked', async () => {
    expect(await checked()).toMatchObject({exit: 1, first: {state: 'never', says: 'it was never checked', lastTried: null}});
  });

  it('checks of other fleets do not count', async () => {
    const {past, due} = await world({calendar: [], readiness: WEEKLY});
    past.ready(NOW - DAY, ALL, 'shop2');
    expect((await due()).first).toMatchObject({state: 'never'});
  });
});
