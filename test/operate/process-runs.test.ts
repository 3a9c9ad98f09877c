import {describe, expect, it} from 'vitest';
import {composeDrill} from '../../src/lib/drill/compose-drill.ts';
import {parseDrill} from '../../src/lib/drill/drill-file.ts';
import {failoverBegunFor, runsOfProcess} from '../../src/lib/operate/process-runs.ts';
import type {Json} from '../../src/lib/plan/json.ts';
import type {Plan} from '../../src/lib/plan/plan.ts';
import type {State} from '../../src/lib/ports/state.ts';
import {identityText, whoAmI} from '../../src/lib/state/identity.ts';
import {drillText, inputOf} from '../drill/plans.ts';
import {fakeClock} from '../run/fake-clock.ts';
import {memoryState} from '../run/memory-state.ts';
import {planOf, step} from '../run/world.ts';

const PLAN = {kind: 'failover', from: 'us-east', to: 'eu-west'} as unknown as Plan;

function world() {
  const state = memoryState(fakeClock());
  const say = (runId: string, type: string, pid: number, more: Partial<ReturnType<typeof whoAmI>> = {}) =>
    state.append(runId, {type, step: null, data: {v: 1, by: identityText({...whoAmI(), ...more, pid})}});
  const begin = (runId: string, pid: number, more: Partial<ReturnType<typeof whoAmI>> = {}) => {
    state.createRun(runId, 'lab', PLAN);
    say(runId, 'run-started', pid, more);
  };
  return {state, say, begin};
}

describe('the run of a process', () => {
  it('is the one that it began, however many others begin one beside it', async () => {
    const {state, begin} = world();
    const runs = runsOfProcess(state, 'lab', 4711);
    begin('failover-of-another', 4712);
    state.createRun('failover-not-begun', 'lab', PLAN);
    expect(await runs.begunRun()).toBe(null);
    begin('failover-own', 4711);
    begin('failover-later', 4713);
    expect(await runs.begunRun()).toBe('failover-own');
  });

  it('is none that was there before, nor that of the same process id on another machine or of another person', async () => {
    const {state, begin} = world();
    begin('failover-old', 4711);
    const runs = runsOfProcess(state, 'lab', 4711);
    begin('failover-elsewhere', 4711, {host: 'elsewhere'});
    begin('failover-of-somebody', 4711, {user: 'somebody'});
    expect(await runs.begunRun()).toBe(null);
  });

  it('is taken up when its journal says that this very process did', async () => {
    const {state, begin, say} = world();
    begin('failover-1', 4711);
    const runs = runsOfProcess(state, 'lab', 4720);
    say('failover-1', 'resumed', 4719);
    expect(await runs.hasTakenUp('failover-1')).toBe(false);
    say('failover-1', 'resumed', 4720);
    expect(await runs.hasTakenUp('failover-1')).toBe(true);
  });

  it('is none where the process could not be started', async () => {
    const {state, begin} = world();
    const runs = runsOfProcess(state, 'lab', undefined);
    begin('failover-1', 4711);
    expect(await runs.begunRun()).toBe(null);
  });
});

describe('the failover that a drill has begun before it was cut short', () => {
  const text = `${drillText}reaction: {failover: {by: command, killAt: fence}}\n`;
  const DRILL = composeDrill(inputOf(parseDrill(text, {file: '/d.yaml', cwd: '/'}), {reactionPlan: null}));

  /** A drill whose reaction was meant to begin at `1000`, and what runs were begun when, by whom, with which events. */
  function cutShort() {
    const clock = fakeClock({auto: false});
    const state: State = memoryState(clock);
    const by = (more: Partial<ReturnType<typeof whoAmI>> = {}) => ({v: 1, by: identityText({...whoAmI(), pid: 4711, ...more})});
    const say = (runId: string, type: string, data: Json = {}, of: string | null = null) => state.append(runId, {type, step: of, data});
    const begin = (runId: string, who: Json, ...events: readonly (readonly [string, Json?])[]) => {
      clock.advance(1000);
      const kind = runId.startsWith('evacuation') ? 'evacuation' : runId.startsWith('readmission') ? 'readmission' : 'failover';
      state.createRun(runId, 'lab', planOf([step('a')], {id: runId, kind}));
      say(runId, 'run-started', who);
      for (const [type, data] of events) say(runId, type, data, type === 'intent' ? 'a' : null);
    };
    state.createRun('drill-1', 'lab', DRILL);
    say('drill-1', 'run-started', by({pid: 4700}));
    const meant = () => say('drill-1', 'intent', {action: 'reaction.command', v: 1, says: ''}, 'reaction');
    const found = (holder: State['holder'] = () => null) => failoverBegunFor({...state, holder}, 'lab', 'drill-1');
    return {begin, by, meant, found};
  }
  const ended = (outcome: string) => ['run-ended', {outcome, code: 'x', reason: ''}] as const;
  const intent = ['intent', {action: 'set', v: 1, says: ''}] as const;

  it('is the one that its user began on its machine since it first meant to, if it has touched anything', () => {
    const {begin, by, meant, found} = cutShort();
    begin('failover-before', by(), intent);
    expect(found()).toBe(null);
    meant();
    expect(found()).toBe(null);
    begin('failover-elsewhere', by({host: 'elsewhere'}), intent);
    begin('failover-untouched', by());
    begin('failover-undone', by(), intent, ended('undone'));
    expect(found()).toBe(null);
    begin('failover-left', by(), intent);
    begin('failover-refused', by(), ended('failed'));
    meant();
    expect(found()).toEqual({runId: 'failover-left', stands: 'unfinished', wasResumed: false});
  });

  it('is an evacuation, where the fleet is one of peers', () => {
    const {begin, by, meant, found} = cutShort();
    meant();
    begin('evacuation-1', by(), intent);
    begin('readmission-1', by(), intent);
    expect(found()).toMatchObject({runId: 'evacuation-1', stands: 'unfinished'});
  });

  it('goes on while a process has its lease, and has succeeded when its journal says so', () => {
    const {begin, by, meant, found} = cutShort();
    meant();
    begin('failover-1', by());
    const holder = {token: 't', pid: 4711, user: 'ana', host: 'ops1', runId: 'failover-1', since: 0};
    expect(found((name) => (name === 'lab' ? holder : null))).toMatchObject({stands: 'going'});
    begin('failover-2', by(), intent, ['resumed', by({pid: 4712})], ended('succeeded'));
    expect(found()).toEqual({runId: 'failover-2', stands: 'succeeded', wasResumed: true});
  });
});
