import {describe, expect, it} from 'vitest';
import type {Plan} from '../../src/lib/plan/plan.ts';
import type {RunSetup} from '../../src/lib/run/context.ts';
import {runDocument} from '../../src/lib/run/document.ts';
import {resumeRun, undoRun} from '../../src/lib/run/resume.ts';
import {runPlan} from '../../src/lib/run/runner.ts';
import {fakeClock} from './fake-clock.ts';
import {freeLease, memoryState} from './memory-state.ts';
import {fact, memoryWorld, planOf, simulated, step} from './world.ts';

const MINUTE = 60_000;

function planWith(approvers: number): Plan {
  return planOf([
    step('claim', {phase: 'preflight'}),
    step('drain', {phase: 'fence', after: ['claim'], approval: {approvers, expiresMs: 30 * MINUTE}}),
    step('promote', {after: ['drain'], pivot: true, requires: [fact('drain', 'on')]}),
    step('verify', {phase: 'verify', after: ['promote'], undo: null}),
    step('rejoin', {phase: 'converge', after: ['verify'], undo: null}),
  ]);
}

/** A run under way, and other terminals that write into the same state. `at` runs something after so many ms of the run's clock. */
function life(plan: Plan, more: Partial<RunSetup> = {}) {
  const clock = fakeClock();
  const world = memoryWorld();
  const state = memoryState(clock);
  state.createRun('r1', 'lab', plan);
  const vote = (type: 'approved' | 'rejected', user: string, reason: string | null = null) =>
    state.append('r1', {type, step: 'drain', data: {by: `${user}@ops (pid 1)`, user, reason}});
  const pending: {at: number; act: () => void}[] = [];
  const ticking = {
    ...clock,
    sleep: async (ms: number, signal?: AbortSignal) => {
      await clock.sleep(ms, signal);
      for (const due of pending.splice(0, pending.length))
        if (due.at <= clock.now()) due.act();
        else pending.push(due);
    },
  };
  const setup: RunSetup = {
    runId: 'r1',
    state,
    lease: freeLease(),
    ...simulated(world),
    clock: ticking,
    signal: new AbortController().signal,
    by: 'ana@ops (pid 7)',
    user: 'ana',
    ...more,
  };
  const later = (ms: number, act: () => void) => void pending.push({at: clock.now() + ms, act});
  const document = () => runDocument('r1', plan, state.events('r1'), false);
  return {clock, world, state, setup, vote, later, document};
}

describe('a step that needs approval', () => {
  it('waits, and goes on when another terminal approves', async () => {
    const plan = planWith(1);
    const {setup, later, vote, document, world} = life(plan);
    later(5000, () => {
      expect(runDocument('r1', plan, setup.state.events('r1'), true).outcome).toBe('paused');
      expect(world.values.has('drain')).toBe(false);
      vote('approved', 'bo', 'looks right');
    });
    expect(await runPlan({...setup, plan})).toMatchObject({outcome: 'succeeded', exit: 0});
    expect(document().approvals).toEqual([
      {
        step: 'drain',
        approvers: 1,
        verdict: 'approved',
        expiresAt: expect.stringMatching(/^\d{4}-/),
        votes: [{verdict: 'approved', by: 'bo@ops (pid 1)', reason: 'looks right', at: expect.any(String)}],
      },
    ]);
  });

  it('goes back when somebody rejects it', async () => {
    const plan = planWith(1);
    const {setup, later, vote, world} = life(plan);
    later(1000, () => void vote('rejected', 'bo', 'the region is coming back'));
    expect(await runPlan({...setup, plan})).toMatchObject({
      outcome: 'undone',
      code: 'approval-rejected',
      reason: expect.stringContaining('bo@ops (pid 1) rejected it: the region is coming back'),
    });
    expect(Object.fromEntries(world.values)).toEqual({claim: 'off'});
  });

  it('goes back when nobody answers in time', async () => {
    const plan = planWith(1);
    const {setup} = life(plan);
    expect(await runPlan({...setup, plan})).toMatchObject({
      outcome: 'undone',
      code: 'approval-expired',
      reason: expect.stringContaining('30 min'),
    });
  });

  it('by two: neither who started it nor one person twice', async () => {
    const plan = planWith(2);
    const {setup, later, vote, world, document} = life(plan, {approve: true});
    later(1000, () => void vote('approved', 'ana'));
    later(2000, () => void vote('approved', 'bo'));
    later(3000, () => void vote('approved', 'bo'));
    later(60_000, () => {
      expect(world.values.has('drain')).toBe(false);
      vote('approved', 'cy');
    });
    expect(await runPlan({...setup, plan})).toMatchObject({outcome: 'succeeded'});
    expect(document().approvals[0]?.votes).toHaveLength(5);
  });

  it('is approved at once by the starter with --approve, where one person is enough', async () => {
    const plan = planWith(1);
    const {setup, document} = life(plan, {approve: true});
    expect(await runPlan({...setup, plan})).toMatchObject({outcome: 'succeeded'});
    expect(document().approvals[0]?.votes).toMatchObject([{by: 'ana@ops (pid 7)', reason: 'with --approve'}]);
  });

  it('counts a vote that came while no process ran, and looks again before it acts', async () => {
    const plan = planWith(1);
    const {setup, state, vote, world, clock} = life(plan);
    const stop = new AbortController();
    const run = runPlan({...setup, stopSignal: stop.signal, plan});
    for (let i = 0; i < 100; i++) await Promise.resolve();
    stop.abort();
    expect(await run).toMatchObject({outcome: 'interrupted'});
    vote('approved', 'bo');
    await clock.sleep(MINUTE);
    expect(await resumeRun({...setup, user: 'cy', by: 'cy'})).toMatchObject({outcome: 'succeeded'});
    expect(world.values.get('drain')).toBe('on');
    expect(state.events('r1').filter(({type}) => type === 'approval-asked')).toHaveLength(1);
  });
});

describe('a run that is told to stop from another terminal', () => {
  const tell = (state: RunSetup['state']) =>
    void state.append('r1', {type: 'abort-asked', step: null, data: {by: 'bo@ops (pid 1)', reason: 'wrong region'}});

  it('while it waits for approval it goes back', async () => {
    const plan = planWith(1);
    const {setup, later, state, world} = life(plan);
    later(1000, () => tell(state));
    expect(await runPlan({...setup, plan})).toMatchObject({
      outcome: 'undone',
      code: 'aborted',
      reason: expect.stringContaining('bo@ops (pid 1) told it to stop: wrong region'),
    });
    expect(Object.fromEntries(world.values)).toEqual({claim: 'off'});
  });

  it('past the pivot it stops at the next safe point, and can be resumed', async () => {
    const plan = planOf(planWith(1).steps.map((each) => ({...each, approval: null})));
    const world = memoryWorld();
    const {setup, state, document} = life(plan);
    const registries = simulated(world, {
      apply: async ({name}, set) => {
        set();
        if (name === 'promote') tell(state);
        return undefined;
      },
    });
    expect(await runPlan({...setup, ...registries, plan})).toMatchObject({
      outcome: 'aborted',
      exit: 2,
      reason: expect.stringMatching(/told it to stop: wrong region; stopped before verify.*runs resume r1/),
    });
    expect(Object.fromEntries(world.values)).toEqual({claim: 'on', drain: 'on', promote: 'on'});
    expect(await resumeRun({...setup, ...simulated(world)})).toMatchObject({outcome: 'succeeded'});
    expect(document().outcome).toBe('succeeded');
  });
});

describe('going back and going on later', () => {
  it('undo walks back in reverse, under a claim that it takes anew', async () => {
    const off = {action: 'set', v: 1, target: {store: 'orders', member: 'claim'}, args: {name: 'claim', to: 'off'}};
    const always = [step('release', {do: off, ensures: [fact('claim', 'off')], undo: null})];
    const plan = planOf(
      planWith(1).steps.map((each) => ({...each, approval: null})),
      {always},
    );
    const {setup, world} = life(plan);
    const stop = new AbortController();
    const stopping = simulated(world, {
      apply: async ({name}, set) => {
        if (name === 'promote') throw new Error('not reached');
        set();
        if (name === 'drain') stop.abort();
        return undefined;
      },
    });
    await runPlan({...setup, ...stopping, stopSignal: stop.signal, plan});
    world.values.set('claim', 'off'); // it went with its process
    world.log.length = 0;
    expect(await undoRun({...setup, ...simulated(world)})).toMatchObject({outcome: 'undone', code: 'undone', exit: 0});
    expect(world.log).toEqual(['claim=on', 'drain=off', 'claim=off']);
  });

  it('undo is refused from the pivot on, and names the way back', async () => {
    const plan = planOf(planWith(1).steps.map((each) => ({...each, approval: null})));
    const {setup, world} = life(plan);
    const failing = simulated(world, {answer: (name, value, want) => (name === 'verify' ? false : value === want)});
    expect(await runPlan({...setup, ...failing, plan})).toMatchObject({outcome: 'failed'});
    await expect(undoRun(setup)).rejects.toMatchObject({
      code: 'past-pivot',
      exit: 77,
      suggestions: [expect.stringContaining('failback plan')],
    });
  });

  it('after a quarter of an hour only with a reason, which stays on the record', async () => {
    const plan = planWith(1);
    const {setup, vote, clock, state} = life(plan);
    const stop = new AbortController();
    const run = runPlan({...setup, stopSignal: stop.signal, plan});
    for (let i = 0; i < 100; i++) await Promise.resolve();
    stop.abort();
    await run;
    await clock.sleep(16 * MINUTE);
    await expect(resumeRun(setup)).rejects.toMatchObject({code: 'run-stale', exit: 77});
    vote('approved', 'bo');
    expect(await resumeRun({...setup, reason: 'the bridge agreed'})).toMatchObject({outcome: 'succeeded'});
    expect(state.events('r1').find(({type}) => type === 'resumed')?.data).toMatchObject({reason: 'the bridge agreed', going: 'forward'});
  });

  it('not at all when another hand has moved what the plan stands on', async () => {
    const plan = planOf(
      planWith(1).steps.map((each) => ({...each, approval: null})),
      {standsOn: [fact('primary', 'us-east')]},
    );
    const {setup, world} = life(plan);
    world.set('primary', 'us-east');
    const stop = new AbortController();
    const stopping = simulated(world, {
      apply: async ({name}, set) => {
        set();
        if (name === 'drain') stop.abort();
        return undefined;
      },
    });
    await runPlan({...setup, ...stopping, stopSignal: stop.signal, plan});
    world.set('primary', 'ap');
    expect(await resumeRun(setup)).toMatchObject({
      outcome: 'failed',
      code: 'plan-outdated',
      exit: 77,
      reason: expect.stringContaining('another hand has moved it since: primary is ap'),
    });
    expect(world.values.has('promote')).toBe(false);
  });
});
