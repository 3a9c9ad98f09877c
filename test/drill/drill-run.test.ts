import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {drillActions} from '../../src/lib/drill/actions.ts';
import {composeDrill} from '../../src/lib/drill/compose-drill.ts';
import {drillDocument} from '../../src/lib/drill/document.ts';
import {parseDrill} from '../../src/lib/drill/drill-file.ts';
import type {Action, Check} from '../../src/lib/plan/action.ts';
import type {Plan} from '../../src/lib/plan/plan.ts';
import {runDocument} from '../../src/lib/run/document.ts';
import {ActionRegistry, CheckRegistry} from '../../src/lib/run/registry.ts';
import {resumeRun} from '../../src/lib/run/resume.ts';
import {runPlan} from '../../src/lib/run/runner.ts';
import {systemClock} from '../../src/lib/run/system-clock.ts';
import {known} from '../../src/lib/snapshot/cell.ts';
import {FakeStore, standby} from '../failover/fake-store.ts';
import {freeLease, memoryState} from '../run/memory-state.ts';
import {accept, startOrderServer} from '../witness/order-server.ts';
import {drillText, FLEET, fleet, inputOf, nobody, wellSenses} from './plans.ts';

const quick = `${drillText}witness: {every: 10ms, warmUp: 100ms, coolDown: 100ms}\ndetect: {every: 50ms, within: 5s}\n`;
const clock = systemClock();
let dir: string;
let server: Awaited<ReturnType<typeof startOrderServer>>;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drill-run-'));
  server = await startOrderServer(20_820);
});
afterEach(async () => {
  await server.close();
  await rm(dir, {recursive: true});
});

/** A fleet of one server: losing the region makes it hang up, promoting makes it answer again. */
function world(life: AbortSignal) {
  const state = {lost: false, onPromote: async () => undefined as unknown};
  const lose = (lost: boolean) => {
    state.lost = lost;
    server.state.behave = lost ? (_ref, answer) => answer.socket?.destroy() : accept;
  };
  const act = (name: string, apply: () => unknown = () => null): Action => ({
    name,
    v: 1,
    effect: 'none',
    parse: (args) => args,
    describe: () => name,
    look: async () => 'before',
    apply: async () => {
      await apply();
      return null;
    },
  });
  const silent: Check = {
    name: 'store.silent',
    ask: async () => ({holds: state.lost, measured: null, says: state.lost ? 'silent' : 'heard'}),
  };
  const promote = async () => {
    await state.onPromote();
    server.state.behave = accept;
  };
  const orders = new FakeStore();
  for (const region of ['us-east', 'eu-west', 'ap']) orders.members[region] = standby(region, 1);
  const kit = drillActions({
    faults: {
      kinds: ['lose'],
      inject: async () => {
        lose(true);
        return null;
      },
      heal: async () => {
        state.lost = false;
      },
      active: async () => known(state.lost ? ['lose'] : [], 0, 'fake'),
    },
    ...nobody,
    senses: wellSenses({
      sampleHealth: async (region) =>
        known(
          {verdict: state.lost && region === 'us-east' ? 'unhealthy' : 'healthy', agree: 1, asked: 1, code: 'x', reason: 'seen'},
          0,
          'fake',
        ),
    }),
    witness: {dir, fleet: FLEET, life},
    stores: {orders: orders.port},
    clock,
  });
  const stores = ['store.claim', 'store.fence', 'route.weights', 'store.release'].map((name) => act(name));
  const actions = new ActionRegistry([...kit.actions, ...stores, act('store.promote', promote)]);
  return {state, kit, actions, checks: new CheckRegistry([...kit.checks, silent])};
}

function planOf(): Plan {
  const drill = parseDrill(quick, {file: '/d.yaml', cwd: '/'});
  const plan = composeDrill(inputOf(drill, {fleet: {...fleet, witness: {url: server.url, everyMs: 20, deadlineMs: 300, stores: []}}}));
  return {...plan, gates: plan.gates.map((gate) => ({...gate, verdict: 'pass'}))};
}

describe('a drill, run by the runner', () => {
  it('measures the gap from the fault to the promotion, and ends without a fault', async () => {
    const {actions, checks, kit} = world(new AbortController().signal);
    const [plan, state] = [planOf(), memoryState(clock)];
    state.createRun('run-1', 'lab', plan);
    const result = await runPlan({
      runId: 'run-1',
      plan,
      state,
      lease: freeLease(),
      actions,
      checks,
      clock,
      signal: new AbortController().signal,
    });
    expect(result).toMatchObject({outcome: 'succeeded', exit: 0});
    expect(kit.witness()).toBeNull();
    const events = state.events('run-1');
    const document = drillDocument(runDocument('run-1', plan, events, false), plan, events);
    expect(document).toMatchObject({
      verdict: 'passed',
      faults: [{provenHealed: true}],
      steadyState: {before: {met: true}, after: {met: true}},
      witness: {lost: [], duplicated: []},
    });
    const at = (id: string, end: 'startedAt' | 'endedAt') => Date.parse(document.steps.find((step) => step.id === id)?.[end] ?? '');
    const outage = at('promote', 'endedAt') - at('inject', 'endedAt');
    // One process plays all parts here: while it stands still, neither end is seen.
    const stoodStillMs = document.witness?.stalledMs ?? 0;
    expect(Math.abs((document.measured.writeGapMs ?? 0) - outage)).toBeLessThan(150 + stoodStillMs);
  });

  it('is undone before the promotion, with the fault healed', async () => {
    const {actions, checks, state: fake} = world(new AbortController().signal);
    const [plan, state] = [planOf(), memoryState(clock)];
    const broken = {
      ...plan,
      steps: plan.steps.map((step) =>
        step.id === 'fence'
          ? {...step, requires: [{check: 'store.silent', target: {}, want: true, via: 'any' as const, maxAgeMs: 1000}]}
          : step,
      ),
    };
    const blind = new CheckRegistry(
      checks
        .names()
        .map((name) =>
          name === 'store.silent' ? {name, ask: async () => ({holds: null, measured: null, says: 'nobody knows'})} : checks.get(name),
        ),
    );
    state.createRun('run-1', 'lab', broken);
    const result = await runPlan({
      runId: 'run-1',
      plan: broken,
      state,
      lease: freeLease(),
      actions,
      checks: blind,
      clock,
      signal: new AbortController().signal,
    });
    expect(result.outcome).toBe('undone');
    expect(fake.lost).toBe(false);
    const events = state.events('run-1');
    expect(drillDocument(runDocument('run-1', broken, events, false), broken, events)).toMatchObject({
      verdict: 'failed',
      verdictCode: 'run-failed',
      faults: [{provenHealed: true}],
    });
  });

  it('is carried on by another process, with a new witness and the gap unknown', async () => {
    const [plan, state] = [planOf(), memoryState(clock)];
    const death = new AbortController();
    const first = world(death.signal);
    const die = Object.assign(new Error('left'), {code: 'left', exit: 130});
    first.state.onPromote = async () => {
      throw die;
    };
    state.createRun('run-1', 'lab', plan);
    const common = {runId: 'run-1', state, lease: freeLease(), clock, signal: new AbortController().signal};
    await runPlan({...common, plan, actions: first.actions, checks: first.checks});
    death.abort();
    await first.kit.witness()?.stop();
    const second = world(new AbortController().signal);
    second.state.lost = true;
    const result = await resumeRun({...common, actions: second.actions, checks: second.checks});
    expect(result.outcome).toBe('succeeded');
    const events = state.events('run-1');
    const document = drillDocument(runDocument('run-1', plan, events, false), plan, events);
    expect(document.measured).toMatchObject({writeGapMs: null, lostWrites: 0});
    expect(document.witness?.writeGapReason).toContain('was not running');
    expect(document).toMatchObject({verdict: 'unknown', verdictCode: 'not-measured', faults: [{provenHealed: true}]});
  });
});
