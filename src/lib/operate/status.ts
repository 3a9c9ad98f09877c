import {messageOf} from '../errors.ts';
import type {ExitCode} from '../exit-codes.ts';
import {healthDocument} from '../health/document.ts';
import type {FleetJudgement} from '../health/judge.ts';
import {type FleetNow, withMemory, withoutMemory} from '../health/region-memory.ts';
import {verdictExit} from '../health/verdict.ts';
import {type StatusDocument, statusDocument} from '../observe/status.ts';
import {observeFleet} from '../observe/take-snapshot.ts';
import type {State} from '../ports/state.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {readLag} from './lag.ts';
import {withRememberedAck} from './remember-ack.ts';
import {listRuns, type RunSummary} from './runs.ts';
import {keepStatus} from './status-cache.ts';

/** One picture of the whole fleet. Works with regions unreachable and without state; the exit code is that of the worst verdict. */
export async function readStatus(open: OpenFleet, signal: AbortSignal): Promise<{document: StatusDocument; exit: ExitCode}> {
  const [observation, lag, runs] = await Promise.all([
    observeFleet({...open, signal, vantage: 'here'}),
    readLag(open, {signal, heartbeat: false}),
    runsOf(open),
  ]);
  const at = open.clock.wall();
  const {now, notes} = await remembered(open, observation.judgement, at);
  const health = healthDocument({fleet: open.fleet, now, at, notes: [...notes, ...runs.notes]});
  const state = await open.state().catch(() => null);
  withRememberedAck(state, open.fleet.name, observation.snapshot);
  const {links, unread} = lag.document;
  const document = statusDocument({fleet: open.fleet, snapshot: observation.snapshot, health, links, unread, runs: runs.list});
  keep(state, open, document);
  return {document, exit: verdictExit(document.verdict)};
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

async function runsOf(open: OpenFleet): Promise<{list: readonly RunSummary[]; notes: readonly string[]}> {
  try {
    return {list: await listRuns(open), notes: []};
  } catch (error) {
    return {list: [], notes: [`the runs could not be read: ${messageOf(error)}`]};
  }
}
