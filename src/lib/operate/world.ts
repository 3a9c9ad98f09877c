import {stat} from 'node:fs/promises';
import {join} from 'node:path';
import {timeoutAwake} from '../awake.ts';
import {type DrillKit, drillActions} from '../drill/actions.ts';
import {checkActions} from '../failover/check-actions.ts';
import {countActions} from '../failover/count-actions.ts';
import {guardAction, guardCheck} from '../failover/guard.ts';
import {hookActions, hookChecks} from '../failover/hook-actions.ts';
import {managedActions, managedChecks} from '../failover/managed-actions.ts';
import {savingOf} from '../failover/save-actions.ts';
import {storeActions} from '../failover/store-actions.ts';
import {storeChecks} from '../failover/store-checks.ts';
import {trafficActions, trafficChecks} from '../failover/traffic-actions.ts';
import {verifyActions} from '../failover/verify-actions.ts';
import {judgeFleet} from '../health/judge.ts';
import {probeAll} from '../health/sweep.ts';
import type {Answer} from '../plan/action.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {ActionRegistry, CheckRegistry} from '../run/registry.ts';
import {type Cell, known, unknown} from '../snapshot/cell.ts';
import type {RegionHealth} from '../snapshot/snapshot.ts';
import {startWitnessThread} from '../witness/thread.ts';
import {startWitness, type Witness} from '../witness/witness.ts';
import {largestLag} from './lag.ts';
import {recallBaseline} from './latency.ts';
import {ownChecks} from './own-checks.ts';

/** Everything that plans of this fleet may name: the actions, the checks, and the witness that runs now. */
export type World = {readonly actions: ActionRegistry; readonly checks: CheckRegistry; witness(): Witness | null};

/** `resumed` = another process had begun the run: what that one touched is not known. */
export type WorldOptions = {
  readonly life: AbortSignal;
  readonly resumed?: boolean;
  /** How long guards stay, in ms, whatever the plan says; null = as it says. */
  readonly guardForMs?: number | null;
  readonly onWitness?: (witness: Witness | null) => void;
};

/** Binds the actions and checks to an open fleet. One world belongs to one run. */
export function worldOf(open: OpenFleet, {life, resumed = false, guardForMs = null, onWitness}: WorldOptions): World {
  const kit = drillKit(open, life, onWitness);
  const stores = {
    ...open,
    keeping: {
      dirOf: (runId: string, member: string) => join(open.stateDir, 'kept', runId, member),
      // The summary is written last: where it stands, everything else is there.
      isWhole: (dir: string) =>
        stat(join(dir, 'summary.json')).then(
          () => true,
          () => false,
        ),
    },
    tried: new Map(),
    evicted: new Set<string>(),
    proofs: new Map(),
    marks: new Map(),
    counted: new Set<string>(),
    guardForMs,
    provenAt: new Map(),
    spared: resumed ? null : new Set<string>(),
  };
  const saving = savingOf(stores);
  return {
    actions: new ActionRegistry([
      ...storeActions(stores),
      ...managedActions(stores),
      ...saving.actions,
      ...countActions(stores),
      guardAction(stores),
      ...hookActions(open.hooks),
      ...checkActions({...stores, baseline: (route) => recallBaseline(open, route)}),
      ...trafficActions(open),
      ...verifyActions(stores),
      ...kit.actions,
    ]),
    checks: new CheckRegistry([
      ...storeChecks(stores),
      ...managedChecks(stores),
      ...saving.checks,
      guardCheck(stores),
      ...hookChecks(open.hooks),
      ...trafficChecks(open),
      ...ownChecks(open),
      ...kit.checks,
    ]),
    witness: kit.witness,
  };
}

function drillKit(open: OpenFleet, life: AbortSignal, onWitness: WorldOptions['onWitness']): DrillKit {
  return drillActions({
    faults: open.fault,
    sampleHealth: (region, signal) => sampleRegion(open, region, signal),
    // A thread takes a moment to begin, which nobody has whose primary is gone; there the gap has begun already and is not measured.
    witness: {
      dir: join(open.stateDir, 'witness'),
      life,
      start: (options, {ready}) => (ready ? startWitnessThread(options) : startWitness(options)),
    },
    stores: open.stores,
    clock: open.clock,
    steady: {
      regions: open.fleet.regions.map(({name}) => name),
      writable: (signal) => writable(open, signal),
      lagMs: (except, signal) => largestLag(open, except, signal),
    },
    ...(onWitness === undefined ? {} : {onWitness}),
  });
}

/** One fresh look at one region. A single failure counts: the caller asks for as many in a row as it wants. */
export async function sampleRegion(open: OpenFleet, region: string, signal: AbortSignal): Promise<Cell<RegionHealth>> {
  const endpoints = open.probes.filter(({endpoint}) => endpoint.region === region);
  const {clock, uplinks} = open;
  const readings = await probeAll({endpoints, uplinks, clock, signal, attempts: {fall: 1, pauseMs: 0}});
  const regions = open.fleet.regions.filter(({name}) => name === region);
  const [judged] = judgeFleet({regions}, readings).regions;
  const at = open.clock.wall();
  if (judged === undefined) return unknown('unknown-region', `the fleet file has no region "${region}"`, at);
  const {verdict, code, reason, agree, asked} = judged;
  return verdict === 'unknown' ? unknown(code, reason, at) : known({verdict, agree, asked, code, reason}, at, 'here');
}

/** Whether a write is accepted where clients enter. Only asked where the fleet file lets regionctl write. */
async function writable({fleet, clock}: OpenFleet, signal: AbortSignal): Promise<Answer> {
  if (fleet.witness === null) return {holds: null, measured: null, says: 'the fleet file does not let regionctl write (witness)'};
  const {postOrder} = await import('../failover/post-order.ts');
  const answer = await postOrder(
    fleet.witness.url,
    `steady-${clock.wall()}`,
    AbortSignal.any([signal, timeoutAwake(fleet.witness.deadlineMs)]),
  );
  return {
    holds: answer.ok,
    measured: answer.text,
    says: answer.ok ? `a write is accepted by ${answer.region ?? 'the service'}` : `a write is refused: ${answer.text}`,
  };
}
