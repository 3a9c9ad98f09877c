import {messageOf} from '../errors.ts';
import type {ExitCode} from '../exit-codes.ts';
import {healthDocument} from '../health/document.ts';
import type {FleetJudgement} from '../health/judge.ts';
import {type FleetNow, withMemory, withoutMemory} from '../health/region-memory.ts';
import {verdictExit} from '../health/verdict.ts';
import {statusDocument} from '../observe/status.ts';
import type {StatusDocument} from '../observe/status-document.ts';
import {observeFleet} from '../observe/take-snapshot.ts';
import type {State} from '../ports/state.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import {restingState} from '../state/resting-state.ts';
import type {RunsNow} from './dashboard-view.ts';
import {readLag} from './lag.ts';
import {planCapacity} from './plan-capacity.ts';
import {type FactSources, regionFacts} from './region-facts.ts';
import {withRememberedAck} from './remember-ack.ts';
import {runsNow} from './runs-now.ts';
import {scrubbed} from './scrubbed.ts';
import {keepStatus} from './status-cache.ts';
import {headroomOf, lossesOf, readinessOf} from './status-facts.ts';

/**
 * One picture of the whole fleet. Everything is asked at once, each with its own deadline; what rests on a look at the fleet is judged from the one that was taken. Works with
 * regions unreachable and without state; the exit code is that of the worst verdict.
 */
export async function readStatus(given: OpenFleet, signal: AbortSignal): Promise<{document: StatusDocument; exit: ExitCode}> {
  const {fleet} = given;
  // Who waits for a locked state waits once, not for each thing that is to be kept.
  const open = {...given, state: restingState(given.state, given.clock)};
  const [looked, lag, headroom, runs] = await Promise.all([
    lookAt(open, signal),
    readLag(open, {signal, heartbeat: false}),
    headroomOf(open, signal),
    runsOf(open),
  ]);
  const {snapshot, judgement, state, loss, ready, unkept} = looked;
  const at = open.clock.wall();
  const {now, notes} = await remembered(open, judgement, at);
  const health = healthDocument({fleet, now, at, notes: [...notes, ...unkept, ...runs.notes]});
  const {unread} = lag.document;
  // Others may have been waited for since.
  const waited = Math.max(0, at - Date.parse(lag.document.at));
  const links = lag.document.links.map((link) => ({...link, ageMs: link.ageMs + waited}));
  const sources: FactSources = {loss, ready, headroom};
  const facts = Object.fromEntries(fleet.regions.map(({name}) => [name, regionFacts(name, sources)]));
  const {list, active} = runs.now;
  const steps = active?.steps ?? [];
  const document = scrubbed(statusDocument({fleet, snapshot, health, links, unread, runs: list, steps, facts}), fleet.secrets.scrub);
  keep(state, open, document);
  return {document, exit: verdictExit(document.verdict)};
}

type Looked = Pick<FactSources, 'loss' | 'ready'> & {
  readonly snapshot: Snapshot;
  readonly judgement: FleetJudgement;
  readonly state: State | null;
  /** What is not kept, and why. */
  readonly unkept: readonly string[];
};

/** A look at the fleet, and what follows from it. */
async function lookAt(open: OpenFleet, signal: AbortSignal): Promise<Looked> {
  const capacity = planCapacity(open, signal);
  const looking = observeFleet({...open, signal, vantage: 'here'});
  const [state, {snapshot, judgement}] = await Promise.all([open.state().catch(() => null), looking]);
  const unkept = new Set<string>();
  const completed = withRememberedAck(state, open.fleet.name, snapshot, (error) => {
    unkept.add(`who acknowledges a write is not remembered: ${messageOf(error)}`);
  });
  const [loss, ready] = await Promise.all([
    lossesOf(open, {stores: snapshot.stores, state}, signal),
    readinessOf(open, {snapshot: completed, state, capacity}, signal),
  ]);
  return {snapshot, judgement, state, loss, ready, unkept: [...unkept]};
}

/** For `status --cached`. A state that cannot be written is told of by whoever needs it. */
function keep(state: State | null, {fleet}: OpenFleet, document: StatusDocument): void {
  try {
    if (state !== null) keepStatus(state, fleet, document);
  } catch {
    // The picture is shown all the same.
  }
}

async function remembered(open: OpenFleet, judgement: FleetJudgement, at: number): Promise<{now: FleetNow; notes: readonly string[]}> {
  try {
    return {
      now: withMemory(judgement, {fleet: open.fleet.name, at, memory: await open.state(), limits: open.fleet.health}),
      notes: [],
    };
  } catch (error) {
    return {now: withoutMemory(judgement, at), notes: [`since when is not known: ${messageOf(error)}`]};
  }
}

async function runsOf(open: OpenFleet): Promise<{now: RunsNow; notes: readonly string[]}> {
  try {
    return {now: await runsNow(open), notes: []};
  } catch (error) {
    return {now: {list: [], active: null}, notes: [`the runs could not be read: ${messageOf(error)}`]};
  }
}
