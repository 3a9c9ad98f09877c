import {describe, expect, it} from 'vitest';
import {composeDrill} from '../../src/lib/drill/compose-drill.ts';
import {drillDocument} from '../../src/lib/drill/document.ts';
import {parseDrill} from '../../src/lib/drill/drill-file.ts';
import {drillExit} from '../../src/lib/drill/judge.ts';
import type {Json} from '../../src/lib/plan/json.ts';
import type {Plan} from '../../src/lib/plan/plan.ts';
import {runDocument} from '../../src/lib/run/document.ts';
import {drillPlan, fleet, inputOf, journal, type JournalLine as Line} from './plans.ts';

const plan = drillPlan();

const steady = (met: boolean, holds: boolean | null = met): Json => ({
  met,
  checks: [{check: 'writable', holds, says: 'a write was accepted'}],
});
const witness = {
  writeGapMs: 1890,
  lostWrites: 0,
  duplicatedWrites: 0,
  lossWindowMs: 0,
  acknowledged: 900,
  failed: 2,
  unknown: 1,
  lost: [],
  duplicated: [],
  longestGapMs: 1890,
  gapAtLeastMs: 1880,
};
const done = (at: number, step: string, result: Json): Line => [at, 'result', step, {result, says: textIn(result)}];
const textIn = (result: Json): string => (typeof result === 'object' && result !== null && 'says' in result ? String(result.says) : '');
const intent = (at: number, step: string, action: string): Line => [at, 'intent', step, {action, v: 1, says: ''}];
const begun: Line[] = [
  [1000, 'run-started', null, {v: 1, by: 'me', token: 't'}],
  intent(1000, 'steady-before', 'drill.steady'),
  done(1100, 'steady-before', steady(true)),
];
const injected: Line[] = [
  intent(2000, 'inject', 'fault.inject'),
  done(2100, 'inject', {fault: 'lose', region: 'us-east', injectedAt: '2026-01-01T00:00:02.000Z'}),
];
const healed = done(9000, 'heal', {region: 'us-east', healedAt: '2026-01-01T00:00:09.000Z', provenHealed: true});
const ended = (outcome: string, reason = ''): Line => [9900, 'run-ended', null, {outcome, code: 'x', reason}];

function documentOf(...lines: Line[]) {
  const events = journal(...lines);
  return drillDocument(runDocument('run-1', plan, events, false), plan, events);
}
const full = (result: Json = witness, after: Json = steady(true), ...last: Line[]) =>
  documentOf(
    ...begun,
    ...injected,
    done(7000, 'witness-stop', result),
    done(7500, 'steady-after', after),
    healed,
    ...last,
    ended('succeeded'),
  );
const lastLook = (failure: {code: string; says: string}) =>
  full(witness, steady(true), [9500, 'step-failed', 'primaries', {...failure, effect: 'none', result: null}]);

describe('drillDocument', () => {
  it('adds the drill to the document of the run', () => {
    const document = full();
    expect(document).toMatchObject({
      drill: 'region-lost',
      runId: 'run-1',
      outcome: 'succeeded',
      measured: {writeGapMs: 1890, lostWrites: 0, duplicatedWrites: 0},
      steadyState: {before: {met: true}, after: {met: true}},
      faults: [
        {
          fault: 'lose',
          region: 'us-east',
          injectedAt: '2026-01-01T00:00:02.000Z',
          healedAt: '2026-01-01T00:00:09.000Z',
          provenHealed: true,
        },
      ],
      witness: {acknowledged: 900, lost: [], duplicated: [], longestGapMs: 1890},
      verdict: 'passed',
    });
    expect(drillExit(document)).toBe(0);
  });

  it.each([
    ['a missed objective', full({...witness, lostWrites: 3, lossWindowMs: 40}), 'failed', 'objective-missed', 1],
    ['a steady state that did not come back', full(witness, steady(false)), 'failed', 'not-steady', 2],
    ['a steady state that cannot be told', full(witness, steady(false, null)), 'unknown', 'not-measured', 3],
    ['losses that were not read back', full({...witness, lostWrites: null, lossWindowMs: null}), 'unknown', 'not-measured', 3],
    ['a gap that was not measured', full({...witness, writeGapMs: null}), 'unknown', 'not-measured', 3],
    ['a fault that is not proven healed', documentOf(...begun, ...injected, ended('succeeded')), 'failed', 'not-healed', 2],
    [
      'a fault that was injected without a word',
      documentOf(...begun, intent(2000, 'inject', 'fault.inject'), ended('failed', 'killed')),
      'failed',
      'not-healed',
      2,
    ],
    [
      'a run that was undone',
      documentOf(
        ...begun,
        ...injected,
        [5000, 'undo-result', 'inject', {result: {provenHealed: true}, says: ''}],
        ended('undone', 'not detected'),
      ),
      'failed',
      'run-failed',
      2,
    ],
    [
      'a run that Ctrl+C took back',
      documentOf(
        ...begun,
        ...injected,
        [5000, 'undo-result', 'inject', {result: {provenHealed: true}, says: ''}],
        [5100, 'run-ended', null, {outcome: 'undone', code: 'interrupted', reason: 'interrupted; undone: inject'}],
      ),
      'unknown',
      'not-ended',
      130,
    ],
    [
      'a run that was told to stop before anything was touched',
      documentOf(
        ...begun,
        intent(1200, 'witness-start', 'witness.start'),
        intent(1300, 'heal', 'fault.heal'),
        intent(1400, 'release', 'store.release'),
        ended('aborted', 'stopped by me'),
      ),
      'unknown',
      'not-started',
      77,
    ],
    [
      'a run whose witness lacks a privilege',
      documentOf(
        ...begun,
        [1200, 'step-failed', 'witness-start', {code: 'denied', says: 'no right to write', effect: 'none', result: null}],
        intent(1300, 'heal', 'fault.heal'),
        ended('failed', 'witness-start: no right to write'),
      ),
      'unknown',
      'not-started',
      77,
    ],
    ['two primaries', lastLook({code: 'two-primaries', says: 'orders has two primaries'}), 'failed', 'wrong-primary', 2],
    ['primaries that could not be looked at', lastLook({code: 'timeout', says: 'too late'}), 'unknown', 'not-measured', 3],
    [
      'a member that does not answer',
      full(witness, steady(true), done(9500, 'primaries', {met: null, says: 'us-east does not answer'})),
      'unknown',
      'not-measured',
      3,
    ],
    ['a run that did not start', documentOf(...begun, ended('failed', 'us-east is unhealthy')), 'unknown', 'not-started', 77],
    ['a run whose process is gone', documentOf(...begun, ...injected), 'unknown', 'not-ended', 130],
  ] as const)('judges %s', (_name, document, verdict, code, exit) => {
    expect([document.verdict, document.verdictCode, drillExit(document)]).toEqual([verdict, code, exit]);
    expect(document.verdictReason).not.toBe('');
  });

  it('says what a run that failed at its point of no return has left held, and what lets it go', () => {
    const drain = {
      ...plan.steps.find(({id}) => id === 'reroute'),
      ...{
        id: 'drain',
        do: {action: 'route.weights', v: 1, target: {router: 'front-door'}, args: {weights: {'us-east': 0, ap: 0}, cut: true}},
      },
    } as Plan['steps'][number];
    const holding = {...plan, steps: plan.steps.flatMap((each) => (each.id === 'claim' ? [each, drain] : [each]))};
    const at = (...lines: Line[]) => {
      const events = journal(...begun, ...injected, intent(3000, 'drain', 'route.weights'), done(3100, 'drain', {}), ...lines);
      return drillDocument(runDocument('run-1', holding, events, false), holding, events).verdictReason;
    };
    const says = 'traffic is still held at front-door: no region gets any';
    const failed = at(intent(3200, 'promote', 'store.promote'), healed, ended('failed', 'promote: no such function.'));
    expect(failed).toBe(
      `promote: no such function; ${says}. \`regionctl runs resume run-1\` goes on with the move once its cause is mended, or \`regionctl failback run --to us-east\` gives up the move, brings the other members back under us-east and sends traffic there`,
    );
    expect(at([3300, 'undo-result', 'drain', {result: null, says: ''}], healed, ended('undone', 'x'))).not.toContain(says);
    const sent = [intent(3300, 'reroute', 'route.weights'), done(3400, 'reroute', {})];
    expect(at(...sent, healed, ended('failed', 'verify-write: refused'))).not.toContain(says);
    // Where nobody ended it, it may be held, too.
    expect(at()).toContain(says);
  });

  it('says why nothing was measured when the witness could not be stopped', () => {
    const failed: Line = [7000, 'step-failed', 'witness-stop', {says: 'its deadline of 42 s is over'}];
    const document = documentOf(...begun, ...injected, failed, done(7500, 'steady-after', steady(true)), healed, ended('succeeded'));
    expect(document.verdictReason).toBe('what was lost could not be read back (its deadline of 42 s is over)');
  });

  it('tells no loss where the readings of the front door contradict each other, and why; what else failed stays failed', () => {
    const readBackTrouble = 'It cannot be told which writes http://door/orders has: two readings differ in 9 of 900 acknowledged writes';
    const unclear = {
      ...witness,
      lostWrites: null,
      duplicatedWrites: null,
      lossWindowMs: null,
      lost: null,
      duplicated: null,
      readBackTrouble,
    };
    const document = full(unclear);
    expect(document).toMatchObject({verdict: 'unknown', verdictReason: `what was lost could not be read back (${readBackTrouble})`});
    expect(drillExit(document)).toBe(3);
    expect(document.surprises).toContain(`what the front door has lost is not known: ${readBackTrouble}`);
    expect(full(unclear, steady(false))).toMatchObject({verdictCode: 'not-steady', surprises: document.surprises});
  });

  it('is not measured with a load that said nothing of any request, though no objective speaks of it', () => {
    const none = {requests: 0, errors: 0, errorRate: null, p50Ms: null, p95Ms: null, maxMs: null};
    const load = {
      kind: 'exec',
      before: none,
      during: none,
      after: none,
      says: 'k6: 0 requests. 3 lines could not be read, the first: hello',
    };
    const file = 'name: x\nfault: {kind: lose}\nload: {exec: [k6]}\n';
    const loaded = composeDrill(inputOf(parseDrill(file, {file: '/d.yaml', cwd: '/', fleet})));
    const judged = (...lines: Line[]) => {
      const events = journal(
        ...begun,
        ...injected,
        done(7000, 'witness-stop', witness),
        ...lines,
        done(7500, 'steady-after', steady(true)),
        healed,
        ended('succeeded'),
      );
      return drillDocument(runDocument('run-1', loaded, events, false), loaded, events);
    };
    const silent = judged(done(7100, 'load-stop', load));
    expect([silent.verdictCode, drillExit(silent)]).toEqual(['not-measured', 3]);
    expect(silent.verdictReason).toBe('the load could not be measured: k6: 0 requests. 3 lines could not be read, the first: hello');
    expect(judged().verdictReason).toBe('the load could not be measured: it did not say what it measured');
    expect(judged(done(7100, 'load-stop', {...load, after: {...none, requests: 1}})).verdict).toBe('passed');
  });

  it('does not take a heal from before the last injection for a proof', () => {
    const document = documentOf(...begun, ...injected, healed, ...injected, ended('failed', 'x'));
    expect(document.faults[0]).toMatchObject({healedAt: null, provenHealed: false});
  });
});
