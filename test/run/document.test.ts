import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import type {Json} from '../../src/lib/plan/json.ts';
import type {Plan} from '../../src/lib/plan/plan.ts';
import {planDocument} from '../../src/lib/plan/plan-document.ts';
import type {JournalEvent} from '../../src/lib/ports/state.ts';
import {documentExit, endingExit, runDocument} from '../../src/lib/run/document.ts';
import {progressOf} from '../../src/lib/run/progress.ts';
import {planOf, step} from './world.ts';

type Journal = {readonly runId: string; readonly plan: Plan; readonly events: readonly JournalEvent[]};
const fixture = JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures', 'journal-v1.json'), 'utf8')) as Journal;

/** A journal out of lines `[ms, type, step, data]`. */
function journal(...lines: [number, string, string | null, Json][]): JournalEvent[] {
  return lines.map(([at, type, id, data], i) => ({seq: i + 1, at, type, step: id, data}));
}

const started: [number, string, null, Json] = [0, 'run-started', null, {v: 1, by: 'ana', token: '1-x'}];

describe('a journal of version 1', () => {
  const document = runDocument(fixture.runId, fixture.plan, fixture.events, false);

  it('is read as ever: it must never break', () => {
    expect(document.outcome).toBe('failed');
    expect(document.reason).toContain('regionctl runs resume failover-fixture-1');
    expect(document.steps.map(({id, status}) => [id, status])).toEqual([
      ['claim', 'done'],
      ['drain', 'skipped'],
      ['fence', 'done'],
      ['catch-up', 'undone'],
      ['promote', 'done'],
      ['follow', 'failed'],
      ['reroute', 'pending'],
      ['witness-stop', 'done'],
      ['release', 'failed'],
    ]);
    expect(document.phases).toEqual({
      detectMs: 812,
      decideMs: 95,
      fenceMs: 340,
      promoteMs: 410,
      rerouteMs: null,
      verifyMs: null,
      convergeMs: null,
    });
    expect(document.measured).toEqual({writeGapMs: 1312.5, lostWrites: 0, duplicatedWrites: 1});
    expect(document.objectives).toEqual([
      {class: 'critical', kind: 'rto', targetMs: 900_000, measuredMs: 1312.5, met: true},
      {class: 'user-content', kind: 'rpo', targetMs: 0, measuredMs: 0, met: true},
    ]);
    expect(document.gates).toEqual([
      {id: 'region-down', verdict: 'unknown', measured: null, says: 'us-east was not measured', overridable: true, overridden: true},
    ]);
    expect(document.overrides).toEqual([{gate: 'region-down', reason: 'drill', by: 'ana'}]);
    expect(document).toMatchObject({startedAt: '2027-01-15T08:00:00.000Z', endedAt: '2027-01-15T08:00:20.000Z', code: 'step-failed'});
    expect(document.steps[5]).toMatchObject({detail: 'ap did not stream within 10 s', endedAt: '2027-01-15T08:00:13.000Z'});
  });

  it('holds every event that version 1 knows', () => {
    const known = [
      'run-started',
      'gate',
      'phase-mark',
      'resumed',
      'step-started',
      'intent',
      'result',
      'step-skipped',
      'step-failed',
      'step-blocked',
    ];
    const more = ['step-lost', 'undo-intent', 'undo-result', 'undo-failed', 'always-started', 'interrupted', 'run-ended'];
    expect(new Set(fixture.events.map((event) => event.type))).toEqual(new Set([...known, ...more]));
  });

  it('of a later version, or with an event of one, is refused with what to do', () => {
    const later = journal([0, 'run-started', null, {v: 3, by: 'ana', token: '1-x'}]);
    expect(() => progressOf(fixture.plan, later)).toThrow(expect.objectContaining({code: 'journal-newer', exit: 73}));
    expect(() => progressOf(fixture.plan, journal(started, [1, 'teleported', null, {}]))).toThrow('"teleported"');
  });
});

describe('a run that has not ended', () => {
  const plan = planOf([step('a'), step('b')]);
  const events = journal(started, [10, 'step-started', 'a', {attempt: 1}], [20, 'intent', 'a', {action: 'set', v: 1, says: 'set a to on'}]);

  it('is running as long as its process is there', () => {
    const document = runDocument('r1', plan, events, true);
    expect(document).toMatchObject({outcome: 'running', reason: null, endedAt: null});
    expect(document.steps.map(({status}) => status)).toEqual(['running', 'pending']);
  });

  it('is interrupted without it, and its step is not said to be running', () => {
    const document = runDocument('r1', plan, events, false);
    expect(document).toMatchObject({outcome: 'interrupted', reason: expect.stringContaining('regionctl runs resume r1')});
    expect(document.steps[0]).toMatchObject({status: 'failed', detail: expect.stringContaining('may have happened')});
    expect(documentExit(document, events)).toBe(130);
    expect(runDocument('r1', plan, events.slice(0, 2), false).steps[0]).toMatchObject({status: 'pending'});
  });

  it('was being taken back: that is what somebody goes on with, not the way forward', () => {
    const [back] = journal([30, 'resumed', null, {v: 2, by: 'b', token: 't', at: '', going: 'back'}]);
    expect(runDocument('r1', plan, [...events, ...(back === undefined ? [] : [back])], false).reason).toContain('regionctl runs undo r1');
  });

  it('was resumed after its end: the end does not count', () => {
    const more = journal(
      started,
      [5, 'run-ended', null, {outcome: 'failed', code: 'x', reason: 'x'}],
      [9, 'resumed', null, {v: 1, by: 'b', token: 't', at: ''}],
    );
    expect(runDocument('r1', plan, more, true).outcome).toBe('running');
  });
});

describe('lost writes, by the witness and by the guards of two stores', () => {
  const doing = (id: string, action: string) => step(id, {do: {action, v: 1, target: {store: id}, args: {}}});
  const plan = planOf([doing('w', 'witness.stop'), doing('one', 'store.guard'), doing('two', 'store.guard')]);
  it.each<[number | null, number | null, number | null, number | null]>([
    // All counted: what the witness lost is among it.
    [2, 5, 0, 5],
    [null, 5, 1, 6],
    [null, 0, 0, 0],
    [7, 0, 0, 7],
    // One did not: what the witness lost may be that one's.
    [2, 5, null, 7],
    [2, null, null, 2],
    [null, 5, null, 5],
    [null, 0, null, null],
    [null, null, null, null],
  ])('witness %s, guards %s and %s: %s', (witness, one, two, lost) => {
    const result = (at: number, id: string, lostWrites: number | null): [number, string, string, Json] => [
      at,
      'result',
      id,
      {result: {lostWrites, writeGapMs: 1}, says: ''},
    ];
    const events = journal(started, result(1, 'w', witness), result(2, 'one', one), result(3, 'two', two));
    expect(runDocument('r1', plan, events, true).measured.lostWrites).toBe(lost);
  });
});

describe('objectives', () => {
  const witness = step('w', {do: {action: 'witness.stop', v: 1, target: {}, args: {}}});
  const objectives = [
    {class: 'critical', kind: 'rto' as const, targetMs: 1000},
    {class: 'content', kind: 'rpo' as const, targetMs: 0},
    {class: 'logs', kind: 'rpo' as const, targetMs: 5000},
  ];
  const judged = (result: Json) => {
    const events = journal(
      started,
      [1, 'result', 'w', {result, says: ''}],
      [2, 'run-ended', null, {outcome: 'succeeded', code: 'ok', reason: ''}],
    );
    const document = runDocument('r1', planOf([], {always: [witness], objectives}), events, false);
    return {met: document.objectives.map(({measuredMs, met}) => [measuredMs, met]), exit: documentExit(document, events)};
  };

  it.each<[string, Json, (number | boolean | null)[][], number]>([
    [
      'nothing lost',
      {writeGapMs: 900, lostWrites: 0, duplicatedWrites: 0},
      [
        [900, true],
        [0, true],
        [0, true],
      ],
      0,
    ],
    [
      'lost, with the window',
      {writeGapMs: 1100, lostWrites: 3, duplicatedWrites: 0, lossWindowMs: 40},
      [
        [1100, false],
        [40, false],
        [40, true],
      ],
      1,
    ],
    [
      'lost, window not known',
      {writeGapMs: 1, lostWrites: 3, duplicatedWrites: 0},
      [
        [1, true],
        [null, false],
        [null, null],
      ],
      1,
    ],
    [
      'not read back',
      {writeGapMs: 1, lostWrites: null, duplicatedWrites: null},
      [
        [1, true],
        [null, null],
        [null, null],
      ],
      0,
    ],
    [
      'nothing measured',
      null,
      [
        [null, null],
        [null, null],
        [null, null],
      ],
      0,
    ],
  ])('%s', (_, result, met, exit) => expect(judged(result)).toEqual({met, exit}));
});

it.each<[Parameters<typeof endingExit>[0], boolean, number]>([
  [{outcome: 'succeeded', code: 'ok'}, true, 0],
  [{outcome: 'succeeded', code: 'incomplete'}, true, 1],
  [{outcome: 'failed', code: 'step-failed'}, true, 2],
  [{outcome: 'failed', code: 'requires'}, true, 2],
  [{outcome: 'failed', code: 'requires'}, false, 77],
  [{outcome: 'failed', code: 'gate-refused'}, false, 77],
  [{outcome: 'failed', code: 'plan-outdated'}, false, 77],
  [{outcome: 'failed', code: 'interrupted'}, true, 2],
  [{outcome: 'undone', code: 'requires'}, false, 2],
  [{outcome: 'undone', code: 'interrupted'}, false, 130],
  [{outcome: 'interrupted', code: 'left'}, true, 130],
])('the exit code of %o', (ending, touched, exit) => expect(endingExit(ending, touched)).toBe(exit));

it('a plan has the fields of a run, with nothing done and nothing measured', () => {
  const document = planDocument(fixture.plan);
  const run = runDocument('r', fixture.plan, [], false);
  const {code: _, reason: __, startedAt: ___, endedAt: ____, ...shared} = run;
  expect(Object.keys(document)).toEqual(expect.arrayContaining(Object.keys(shared)));
  expect(document).toMatchObject({runId: null, outcome: null, expects: [], expected: {gapMs: null, loss: []}});
  expect(document.steps.every(({status, startedAt}) => status === 'pending' && startedAt === null)).toBe(true);
  expect(document.steps[4]).toMatchObject({id: 'promote', pivot: true, undo: null, verifiedBy: ['store.primary'], always: false});
  expect(document.steps.at(-1)).toMatchObject({id: 'release', always: true});
});
