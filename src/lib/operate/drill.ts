import {timeoutAwake} from '../awake.ts';
import {composeDrill} from '../drill/compose-drill.ts';
import type {Drill} from '../drill/drill-file.ts';
import {resolveOverrides} from '../failover/gates.ts';
import {observeFleet} from '../observe/take-snapshot.ts';
import type {Override} from '../plan/plan.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {judgeGates} from '../run/judge-gates.ts';
import {newRunId} from './conduct.ts';
import {failoverFrom, type Prepared} from './prepare.ts';
import {withRememberedAck} from './remember-ack.ts';
import type {World} from './world.ts';

const GATES_MS = 10_000;
/** The gates that a drill has beside those of its failover. */
const DRILL_GATES: readonly string[] = ['steady-state', 'no-fault'];

/** Plans a drill on the fleet as it is now, and judges its gates. Nothing is written, and no fault is injected. */
export async function prepareDrill(
  open: OpenFleet,
  world: World,
  {drill, overrides, signal}: {drill: Drill; overrides: readonly Override[]; signal: AbortSignal},
): Promise<Prepared> {
  const began = open.clock.now();
  const [{snapshot: seenNow}, state] = await Promise.all([
    observeFleet({...open, signal, vantage: 'here'}),
    open.state().catch(() => null),
  ]);
  const snapshot = withRememberedAck(state, open.fleet.name, seenNow);
  const from = drill.fault.region === 'primary' ? undefined : drill.fault.region;
  const failoverPlan = await failoverFrom(
    open,
    snapshot,
    {from, to: drill.reaction.failover.to ?? undefined, overrides: overrides.filter(({gate}) => !DRILL_GATES.includes(gate)), signal},
    {witness: false, state: null, guard: null, approve: false},
  );
  const composed = composeDrill({drill, fleet: open.fleet, snapshot, failoverPlan, runId: newRunId('drill', open.clock.wall())});
  const own = resolveOverrides(
    composed.gates,
    overrides.filter(({gate}) => DRILL_GATES.includes(gate)),
  );
  const plan = {...composed, overrides: [...composed.overrides, ...own]};
  const now = () => open.clock.now();
  const ctx = {
    runId: 'plan',
    token: 'none',
    signal: AbortSignal.any([signal, timeoutAwake(GATES_MS)]),
    now,
    deadline: now() + GATES_MS,
  };
  return {plan: await judgeGates(plan, world.checks, ctx), marks: [{phase: 'decide', ms: Math.round(now() - began)}]};
}
