import {describe, expect, it} from 'vitest';
import {drillDocument} from '../../src/lib/drill/document.ts';
import type {EarlierDrill, LoadPart, StoreWitnessRow} from '../../src/lib/drill/report.ts';
import {type SurpriseInput, surprisesOf} from '../../src/lib/drill/surprises.ts';
import {runDocument} from '../../src/lib/run/document.ts';
import {missed, whole} from '../output/drill-samples.ts';
import {drillPlan, type JournalLine, journal} from './plans.ts';

const plan = drillPlan();
const iso = (at: number) => new Date(at).toISOString();
const lines: readonly JournalLine[] = [
  [1000, 'run-started', null, {v: 1, by: 'ana', token: 't'}],
  [9000, 'run-ended', null, {outcome: 'succeeded', code: 'done', reason: ''}],
];

function input(more: Partial<SurpriseInput>, extra: readonly JournalLine[] = []): SurpriseInput {
  const events = journal(...lines.slice(0, 1), ...extra, ...lines.slice(1));
  const run = runDocument('run-1', plan, events, false);
  return {run, plan, events, faults: [], witness: null, stores: [], load: null, beside: [], earlier: [], ...more};
}
const found = (more: Partial<SurpriseInput>, ...extra: JournalLine[]) => surprisesOf(input(more, extra));

const part = (requests: number, errorRate: number, p95Ms: number): LoadPart => ({
  requests,
  errors: 0,
  errorRate,
  p50Ms: 1,
  p95Ms,
  maxMs: 1,
});
const load = (before: LoadPart, after: LoadPart) => ({kind: 'built-in' as const, says: '', before, during: before, after});
const earlier = (detectMs: number): EarlierDrill => ({
  runId: 'run-0',
  at: iso(0),
  verdict: 'passed',
  verdictCode: 'passed',
  writeGapMs: 1,
  lostWrites: 0,
  phases: {...missed.phases, detectMs},
});
const fault = {fault: 'lose', region: 'us-east', injectedAt: iso(2000), provenHealed: true};
const healBegun: JournalLine = [4000, 'step-started', 'heal', {attempt: 1}];

const spec = {name: 'region-lost', description: '', scenario: null, expected: null, region: null, loadObjectives: []};
const holding = {...plan, drillSpec: {...spec, classes: {orders: ['user-content'], sessions: ['sessions']}}};
const speaking = {...input({}).run, objectives: [{class: 'user-content', kind: 'rpo' as const, targetMs: 0, measuredMs: 0, met: true}]};
const stored = (store: string, lostWrites: number | null): StoreWitnessRow => ({
  ...{store, members: [], twoWriters: null, trouble: null},
  all: {...missed.witness!, lostWrites, lost: null, duplicatedWrites: 0, duplicated: [], unknownButPresent: 0},
});

describe('what surprised', () => {
  it('is nothing when all went as planned', () => {
    const quiet = load(part(100, 0, 10), part(100, 0, 12));
    const detected = {...input({}).run, phases: {...missed.phases, detectMs: 2100}};
    const sound = {...missed.witness!, longestStallMs: 99, unknownButPresent: 0};
    expect(
      found({run: detected, load: quiet, earlier: [earlier(2000)], witness: sound, faults: [{...fault, healedAt: iso(6000)}]}, healBegun),
    ).toEqual([]);
  });

  it.each<[string, readonly string[], RegExp]>([
    [
      'two writers',
      found({stores: whole.stores.map((one) => ({...one, trouble: null, all: {...one.all, lostWrites: 0}}))}),
      /two members of orders acknowledged writes at the same time/u,
    ],
    [
      'duplicates',
      found({run: {...input({}).run, measured: {writeGapMs: 1, lostWrites: 0, duplicatedWrites: 2}}}),
      /2 writes of the witness are there more than once/u,
    ],
    [
      'losses that no objective speaks of',
      found({run: {...input({}).run, objectives: [], measured: {writeGapMs: 1, lostWrites: 1, duplicatedWrites: 0}}}),
      /1 acknowledged write is gone, and no objective/u,
    ],
    [
      'losses of a store that no objective speaks of, beside one that an objective does speak of',
      found({run: speaking, plan: holding, stores: [stored('orders', 3), stored('sessions', 14)]}),
      /^14 acknowledged writes of sessions are gone, and no objective says how many may be$/u,
    ],
    [
      'losses of a store that no objective speaks of, which could not be read back',
      found({run: speaking, plan: holding, stores: [stored('orders', null), stored('sessions', null)]}),
      /^what sessions has lost is not known, and no objective speaks of it$/u,
    ],
    [
      'a fault that outlived its heal',
      found({faults: [{...fault, healedAt: iso(12_000)}]}, healBegun),
      /lose on us-east outlived its heal by 8 s/u,
    ],
    [
      'a fault that outlived its lease',
      found({faults: [{...fault, healedAt: iso(12_000), leaseMs: 1000}]}),
      /lose on us-east lasted longer than its lease of 1 s/u,
    ],
    [
      'a fault that had ended with its lease',
      found({
        faults: [
          {...fault, healedAt: iso(3000), leaseMs: 1000, endBasis: 'recorded', endedBy: 'lease', endSays: 'it ended with its lease of 1 s'},
        ],
      }),
      /the drill found lose on us-east over: it ended with its lease of 1 s/u,
    ],
    [
      'a fault that had ended when nobody looked, which is no longer than its lease',
      found({
        faults: [
          {...fault, healedAt: iso(3000), leaseMs: 1000, endBasis: 'estimated', endFrom: iso(2100), endTo: iso(60_000), endSays: 'between'},
        ],
      }),
      /the drill found lose on us-east over: between/u,
    ],
    [
      'a failed step that was passed over',
      found({}, [5000, 'step-failed', 'steady-after', {code: 'x', says: 'no answer', effect: 'none', result: null}]),
      /failed and was passed over: no answer/u,
    ],
    [
      'a retried step',
      found({}, [4000, 'step-started', 'promote', {attempt: 1}], [5000, 'step-started', 'promote', {attempt: 2}]),
      /"promote eu-west" was tried 2 times/u,
    ],
    [
      'a run that was taken up again',
      found({}, [5000, 'resumed', null, {v: 1, by: 'bo', token: 't', at: ''}]),
      /cut short and taken up again/u,
    ],
    [
      'an unknown write that is there',
      found({witness: {...missed.witness!, unknownButPresent: 1}}),
      /1 write of the witness had no answer and is there/u,
    ],
    ['an override', found({run: {...input({}).run, overrides: whole.overrides}}), /the gate lag was passed by ana@ops/u],
    [
      'a run beside it that failed',
      found({beside: whole.beside.map((one) => ({...one, outcome: 'failed'}))}),
      /the failback after the drill ended as failed/u,
    ],
    [
      'a phase that took much longer than before',
      found({run: {...input({}).run, phases: {...missed.phases, detectMs: 9000}}, earlier: [earlier(2000), earlier(2200), earlier(1900)]}),
      /the phase detect took 9 s, in earlier drills 2 s/u,
    ],
    ['a p95 that stayed up', found({load: load(part(100, 0, 40), part(100, 0, 61))}), /the p95 is 61 ms after the drill, before it 40 ms/u],
    ['errors that stayed', found({load: load(part(100, 0, 10), part(100, 0.05, 10))}), /5 % of the requests fail after the drill/u],
    [
      'a standstill of our own',
      found({witness: {...missed.witness!, longestStallMs: 101}}),
      /our own process stood still for up to 101 ms/u,
    ],
    ['a note of the run', found({}, [5000, 'note', null, {says: 'a webhook was not reached'}]), /a webhook was not reached/u],
  ])('is %s, and nothing else', (_name, sentences, text) => {
    expect(sentences).toHaveLength(1);
    expect(sentences[0]).toMatch(text);
  });

  it('says nothing of a load that is too small to tell, nor of a phase that is only a little longer', () => {
    expect(found({load: load(part(19, 0, 10), part(19, 0.5, 100))})).toEqual([]);
    expect(found({run: {...input({}).run, phases: {...missed.phases, detectMs: 900}}, earlier: [earlier(100)]})).toEqual([]);
  });

  it('names the gravest first, and each once', () => {
    const note: JournalLine = [5000, 'note', null, {says: 'a webhook was not reached'}];
    const sentences = found({stores: whole.stores, witness: {...missed.witness!, longestStallMs: 500}}, note, note);
    const begin = ['two members ', '2 acknowledg', 'our own proc', 'the witness ', 'a webhook wa'];
    expect(sentences.map((sentence) => sentence.slice(0, 12))).toEqual(begin);
  });

  it('is part of the document, with what the plan says of the drill', () => {
    const spec = {
      name: 'region-lost',
      description: 'd',
      scenario: 'region-lost',
      expected: 'a failover',
      loadObjectives: [{kind: 'p95' as const, phase: 'after' as const, target: 50}],
      region: 'us-east',
    };
    const events = journal(...lines);
    const document = drillDocument(runDocument('run-1', plan, events, false), {...plan, drillSpec: spec}, events);
    expect(document).toMatchObject({
      description: 'd',
      scenario: 'region-lost',
      expected: 'a failover',
      surprises: [],
      loadObjectives: [{kind: 'p95', phase: 'after', target: 50, measured: null, met: null}],
    });
  });
});
