import {isRegionctlError, messageOf} from '../../src/lib/errors.ts';
import {checkActions} from '../../src/lib/failover/check-actions.ts';
import {countActions} from '../../src/lib/failover/count-actions.ts';
import {expectedLoss} from '../../src/lib/failover/expected-loss.ts';
import {followActions} from '../../src/lib/failover/follow-actions.ts';
import {guardAction, guardCheck} from '../../src/lib/failover/guard.ts';
import {chooseAway, planFailback} from '../../src/lib/failover/plan-failback.ts';
import {movesOf, planFailover} from '../../src/lib/failover/plan-failover.ts';
import {planSwitchover} from '../../src/lib/failover/plan-switchover.ts';
import {savingOf} from '../../src/lib/failover/save-actions.ts';
import {storeActions} from '../../src/lib/failover/store-actions.ts';
import {storeChecks} from '../../src/lib/failover/store-checks.ts';
import type {StoreWorld} from '../../src/lib/failover/store-world.ts';
import {trafficActions, trafficChecks} from '../../src/lib/failover/traffic-actions.ts';
import {verifyActions} from '../../src/lib/failover/verify-actions.ts';
import {takeSnapshot} from '../../src/lib/observe/take-snapshot.ts';
import {withPromotions} from '../../src/lib/operate/earlier-runs.ts';
import {withRememberedAck} from '../../src/lib/operate/remember-ack.ts';
import type {Check} from '../../src/lib/plan/action.ts';
import type {Plan} from '../../src/lib/plan/plan.ts';
import type {Router} from '../../src/lib/ports/router.ts';
import type {Lease, State} from '../../src/lib/ports/state.ts';
import type {Store} from '../../src/lib/ports/store.ts';
import {judgeGates, refuseShutGates} from '../../src/lib/run/judge-gates.ts';
import {ActionRegistry, CheckRegistry} from '../../src/lib/run/registry.ts';
import {resumeRun, undoRun} from '../../src/lib/run/resume.ts';
import {assertRunnable, type RunResult, runPlan} from '../../src/lib/run/runner.ts';
import {known} from '../../src/lib/snapshot/cell.ts';
import type {Snapshot} from '../../src/lib/snapshot/snapshot.ts';
import {fleetOf, STORE} from './fleet-of.ts';
import {request} from './host.ts';
import type {Mutant} from './mutants.ts';
import type {Process} from './process.ts';
import {type DataDir, processState} from './sim-state.ts';
import {simStore} from './sim-store.ts';

/** What an operator sets out to do. `away` and `to` are regions; a run that is taken up is the last one of its data directory. */
export type Job =
  | {
      readonly kind: 'failover' | 'switchover' | 'failback';
      readonly from: string;
      readonly to: string;
      readonly overrides: readonly string[];
      readonly guardMs: number;
    }
  | {readonly kind: 'resume' | 'undo'; readonly guardMs: number};

/** How it ended; `died` = its process was killed, or it never came back. */
export type JobEnd = {readonly outcome: RunResult['outcome'] | 'refused' | 'died'; readonly code: string; readonly says: string};

/** One job under way. `plan` and `end` are set as soon as they are known. */
export type Running = {
  readonly process: Process;
  readonly job: Job;
  readonly abort: AbortController;
  plan: Plan | null;
  end: JobEnd | null;
};

type Bound = {
  readonly world: StoreWorld;
  readonly routers: Readonly<Record<string, Router>>;
  readonly actions: ActionRegistry;
  readonly checks: CheckRegistry;
};

const GATES_MS = 10_000;

/** Starts a job in a process of its own, with the real planners, runner, actions and checks. */
export function launch(process: Process, dir: DataDir, job: Job, mutant: Mutant | null = null): Running {
  const running: Running = {process, job, abort: new AbortController(), plan: null, end: null};
  process.fleet.note(`${process.name} sets out to ${job.kind}${'to' in job ? ` from ${job.from} to ${job.to}` : ''}`);
  carryOut(running, dir, mutant).then(
    (end) => finished(running, end),
    (error: unknown) => finished(running, endOf(process, error)),
  );
  return running;
}

function finished(running: Running, end: JobEnd): void {
  running.end = end;
  const {process, job} = running;
  if (end.outcome !== 'died') process.fleet.note(`${process.name} ended its ${job.kind}: ${end.outcome} [${end.code}] ${end.says}`);
  // A process that has ended closes its sessions.
  process.kill();
}

function endOf(process: Process, error: unknown): JobEnd {
  if (!process.alive) return {outcome: 'died', code: 'killed', says: 'its process was killed'};
  if (!isRegionctlError(error)) throw error;
  return {outcome: 'refused', code: error.code, says: messageOf(error)};
}

async function carryOut(running: Running, dir: DataDir, mutant: Mutant | null): Promise<JobEnd> {
  const {process, job} = running;
  const state = processState(dir, process);
  const holder = state.holder('sim');
  if (holder !== null && mutant?.lease === undefined)
    return {outcome: 'refused', code: 'lease-held', says: `${holder.user} holds the lease`};
  const bound = bind(process, state, job, mutant);
  const result = 'to' in job ? await begin(running, state, bound, job, mutant) : await takeUp(running, dir, state, bound, mutant);
  return {outcome: result.outcome, code: result.code, says: result.reason};
}

async function begin(
  running: Running,
  state: State,
  bound: Bound,
  job: Extract<Job, {to: string}>,
  mutant: Mutant | null,
): Promise<RunResult> {
  const {process} = running;
  const planned = await planOf(process, state, bound, job);
  const plan = mutant?.plan?.(planned) ?? planned;
  const ctx = {
    runId: 'plan',
    token: 'none',
    signal: new AbortController().signal,
    now: bound.world.clock.now,
    deadline: bound.world.clock.now() + GATES_MS,
  };
  const judged = await judgeGates(plan, bound.checks, ctx);
  refuseShutGates(judged);
  running.plan = judged;
  assertRunnable(judged, bound);
  return underLease(state, judged.id, mutant, async (lease) => {
    state.createRun(judged.id, 'sim', judged);
    return runPlan({...setupOf(running, state, bound, lease, judged.id), plan: judged});
  });
}

async function takeUp(running: Running, dir: DataDir, state: State, bound: Bound, mutant: Mutant | null): Promise<RunResult> {
  const runId = dir.runs.at(-1);
  if (runId === undefined) return {runId: 'none', outcome: 'failed', code: 'no-run', reason: 'there is nothing to take up', exit: 0};
  const take = running.job.kind === 'resume' ? resumeRun : undoRun;
  running.plan = state.plan(runId);
  return underLease(state, runId, mutant, (lease) => take({...setupOf(running, state, bound, lease, runId), reason: 'told to'}));
}

async function underLease(
  state: State,
  runId: string,
  mutant: Mutant | null,
  work: (lease: Lease) => Promise<RunResult>,
): Promise<RunResult> {
  const lease = mutant?.lease?.(() => state.lease('sim', runId)) ?? state.lease('sim', runId);
  try {
    return await work(lease);
  } finally {
    lease.release();
  }
}

function setupOf({process, abort}: Running, state: State, bound: Bound, lease: Lease, runId: string) {
  const {actions, checks, world} = bound;
  return {runId, state, lease, actions, checks, clock: world.clock, signal: abort.signal, by: process.name, user: process.name};
}

function bind(process: Process, state: State, job: Job, mutant: Mutant | null): Bound {
  const {guardMs} = job;
  const clock = process.clock();
  const resumed = !('to' in job);
  const open = (): Store => {
    const store = simStore(process, {claimGranted: mutant?.claimGranted === true, unbound: mutant?.unbound === true});
    return mutant?.store?.(store) ?? store;
  };
  const routers = {'front-door': simRouter(process)};
  let second: Store | null = null;
  const world: StoreWorld = {
    fleet: fleetOf(process.fleet),
    clock,
    keeping: {dirOf: (runId, member) => `${runId}/${member}`, isWhole: async (dir) => process.fleet.kept.has(dir)},
    stores: {[STORE]: open()},
    independent: async () => {
      second ??= open();
      return second;
    },
    hooks: {
      has: () => false,
      run: async () => ({exit: 0, tail: ''}),
      ask: async () => '',
      verify: async () => ({holds: null, says: 'there is no hook'}),
    },
    tried: new Map(),
    evicted: new Set<string>(),
    proofs: new Map(),
    marks: new Map(),
    counted: new Set(),
    guardForMs: resumed ? guardMs : null,
    provenAt: mutant?.provenAt?.() ?? new Map(),
    spared: resumed ? null : new Set<string>(),
  };
  const traffic = {clock, routers};
  const saving = savingOf(world);
  return {
    world,
    routers,
    actions: new ActionRegistry(
      [
        ...storeActions(world),
        ...followActions(world),
        ...saving.actions,
        ...countActions(world),
        guardAction(world),
        ...checkActions({...world, baseline: async () => null}),
        ...trafficActions(traffic),
        ...verifyActions(world),
      ].map((action) => mutant?.action?.(action, world) ?? action),
    ),
    checks: new CheckRegistry([...storeChecks(world), ...saving.checks, guardCheck(world), ...trafficChecks(traffic), ...ownChecks(state)]),
  };
}

/** Looks at the fleet and plans, as the commands do. What the region's endpoints would tell is the operator's own judgement here: he acts. */
async function planOf(
  process: Process,
  state: State,
  {world, routers}: Bound,
  {kind, from, to, overrides, guardMs}: Extract<Job, {to: string}>,
): Promise<Plan> {
  const {fleet, clock, stores} = world;
  const seen = await takeSnapshot({fleet, probes: [], stores, routers, clock, signal: new AbortController().signal, vantage: 'here'});
  const judged = {...seen, regions: regionsAs(seen, kind === 'failover' ? from : null, clock.wall())};
  const snapshot = withPromotions(state, 'sim', withRememberedAck(state, 'sim', judged));
  const common = {
    id: `${kind}-${process.name}`,
    fleet,
    snapshot,
    from,
    to,
    objectives: [],
    overrides: overrides.map((gate) => ({gate, reason: 'told to', by: process.name})),
  };
  if (kind === 'switchover') return planSwitchover(common);
  if (kind === 'failback') return planFailback({...common, from: chooseAway(fleet, snapshot, to)});
  const loss = movesOf(fleet, snapshot, from, to).moves.map(({spec, region}) => expectedLoss(fleet, spec, snapshot, region));
  return planFailover({...common, loss, witness: false, guard: {forMs: guardMs}, approve: false});
}

function regionsAs({regions}: Snapshot, down: string | null, at: number): Snapshot['regions'] {
  return Object.fromEntries(
    Object.keys(regions).map((name) => {
      const verdict = name === down ? 'unhealthy' : 'healthy';
      return [name, known({verdict, agree: 1, asked: 1, code: verdict, reason: `${name} is ${verdict}`}, at, 'here')];
    }),
  );
}

/** What a real process asks about itself. Its clock is the simulation's, so it is always sane. */
function ownChecks(state: State): readonly Check[] {
  return [
    {
      name: 'run.alone',
      ask: async () => {
        const holder = state.holder('sim');
        return {
          holds: holder === null,
          measured: holder?.runId ?? null,
          says: holder === null ? 'no other run acts' : `${holder.user} acts on the fleet`,
        };
      },
    },
    {name: 'observer.sane', ask: async () => ({holds: true, measured: null, says: 'this process can be trusted'})},
  ];
}

function simRouter(process: Process): Router {
  const {router} = process.fleet;
  const call = <T>(label: string, signal: AbortSignal, work: () => T): Promise<T> =>
    request<T>(process, {to: 'router', label: `router ${label}`}, signal, (answer) => answer(work()));
  return {
    read: (signal) => call('weights?', signal, () => router.weights),
    write: (ctx, weights) =>
      call('set weights', ctx.signal, () => {
        router.weights = weights;
      }),
    cut: (ctx, region) => call(`cut ${region}`, ctx.signal, () => router.cut(region)),
  };
}
