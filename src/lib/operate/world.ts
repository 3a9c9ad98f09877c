import {stat} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {repairActions} from '../consistency/repair/actions.ts';
import {repairChecks} from '../consistency/repair/checks.ts';
import {type DrillKit, drillActions} from '../drill/actions.ts';
import {checkActions} from '../failover/check-actions.ts';
import {countActions} from '../failover/count-actions.ts';
import {followActions} from '../failover/follow-actions.ts';
import {guardAction, guardCheck} from '../failover/guard.ts';
import {hookActions, hookChecks} from '../failover/hook-actions.ts';
import {managedActions, managedChecks} from '../failover/managed-actions.ts';
import {peerActions, peerChecks} from '../failover/peer-actions.ts';
import {savingOf} from '../failover/save-actions.ts';
import {storeActions} from '../failover/store-actions.ts';
import {storeChecks} from '../failover/store-checks.ts';
import {trafficActions, trafficChecks} from '../failover/traffic-actions.ts';
import {unsentActions} from '../failover/unsent-actions.ts';
import {verifyActions} from '../failover/verify-actions.ts';
import {guardedGenerators} from '../providers/exec/generator.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {ActionRegistry, CheckRegistry} from '../run/registry.ts';
import {startWitnessThread} from '../witness/thread.ts';
import {startWitness, type Witness} from '../witness/witness.ts';
import {auditForRun} from './audit-for-run.ts';
import {recordFleet} from './clean-witness.ts';
import {operatorOf} from './drill-operator.ts';
import {refusals} from './drill-refusals.ts';
import {sampleRegion, sensesOf} from './drill-senses.ts';
import {faultCare} from './fault-care.ts';
import {recallBaseline} from './latency.ts';
import {ownChecks} from './own-checks.ts';
import {type RowsElsewhere, repairWorld} from './repair-kit.ts';

/** Everything that plans of this fleet may name: the actions, the checks, and the witness that runs now; `rowsElsewhere`: rows of repairs that are not kept yet. */
export type World = {
  readonly actions: ActionRegistry;
  readonly checks: CheckRegistry;
  readonly rowsElsewhere: RowsElsewhere;
  witness(): Witness | null;
};

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
  const kit = drillKit(open, () => world, life, onWitness);
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
  const peers = {
    ...stores,
    sampleHealth: (region: string, signal: AbortSignal) => sampleRegion(open, region, signal),
    audit: (store: string, regions: readonly string[], signal: AbortSignal) => auditForRun(open, store, regions, signal),
    audited: new Map<string, readonly string[]>(),
  };
  const saving = savingOf(stores);
  const rowsElsewhere: RowsElsewhere = new Map();
  const repairs = repairWorld(open, rowsElsewhere);
  const world: World = {
    actions: new ActionRegistry([
      ...storeActions(stores),
      ...followActions(stores),
      ...managedActions(stores),
      ...saving.actions,
      ...countActions(stores),
      guardAction(stores),
      ...hookActions(open.hooks),
      ...checkActions({...stores, baseline: (route) => recallBaseline(open, route)}),
      ...trafficActions(open),
      ...verifyActions(stores),
      ...peerActions(peers),
      ...unsentActions(peers),
      ...repairActions(repairs),
      ...kit.actions,
    ]),
    checks: new CheckRegistry([
      ...storeChecks(stores),
      ...managedChecks(stores),
      ...saving.checks,
      guardCheck(stores),
      ...hookChecks(open.hooks),
      ...trafficChecks(open),
      ...peerChecks(peers),
      ...ownChecks(open),
      ...repairChecks(repairs),
      ...kit.checks,
    ]),
    rowsElsewhere,
    witness: kit.witness,
  };
  return world;
}

function drillKit(open: OpenFleet, world: () => World, life: AbortSignal, onWitness: WorldOptions['onWitness']): DrillKit {
  return drillActions({
    faults: open.fault,
    senses: sensesOf(open),
    refusals: (to, signal) => refusals(open, world(), to, signal),
    operator: operatorOf(open),
    care: faultCare(open),
    // A thread takes a moment to begin, which nobody has whose primary is gone; there the gap has begun already and is not measured.
    witness: {
      dir: join(open.stateDir, 'witness'),
      fleet: recordFleet(open.fleet.name, open.state),
      life,
      start: (options, {ready}) => (ready ? startWitnessThread(options) : startWitness(options)),
    },
    load: {
      generator: guardedGenerators({cwd: dirname(open.fleet.file), scrub: open.fleet.secrets.scrub}),
      scrub: open.fleet.secrets.scrub,
    },
    stores: open.stores,
    clock: open.clock,
    ...(onWitness === undefined ? {} : {onWitness}),
  });
}
