import {describe, expect, it} from 'vitest';
import {runsOfProcess} from '../../src/lib/operate/process-runs.ts';
import type {Plan} from '../../src/lib/plan/plan.ts';
import {identityText, whoAmI} from '../../src/lib/state/identity.ts';
import {fakeClock} from '../run/fake-clock.ts';
import {memoryState} from '../run/memory-state.ts';

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
