import type {FaultCare} from '../drill/fault-care.ts';
import {type FaultEntry, faultLedger, type Outside} from '../drill/fault-ledger.ts';
import {formatMs} from '../output/units.ts';
import type {Json} from '../plan/json.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import type {NotedEnd} from '../run/events.ts';
import {lookOutside} from './outside.ts';

/** What keeps the faults of an open fleet from being left behind. Nothing is made, and nobody is asked, before it is used. */
export function faultCare(open: OpenFleet): FaultCare {
  return {
    ledger: faultLedger(open.stateDir),
    fleet: {name: open.fleet.name, file: open.fleet.file},
    injector: open.fleet.fault?.kind ?? 'none',
    outside: (region, signal) => lookOutside(open, region, signal),
    journaled: (runId, region) => journaled(open, runId, region),
    startReaper: async (file, signal) => (await import('../drill/start-reaper.ts')).startReaper(file, signal),
  };
}

/**
 * Writes the end of a run's fault into its journal, so that its report says when it was, whoever carries the run on. `at` is epoch ms. Throws StateError (73)
 * when it cannot be written, also for a run that this state does not know.
 */
export async function noteEnd(
  open: Pick<OpenFleet, 'state'>,
  {runId, kind, region, leaseMs}: Pick<FaultEntry, 'runId' | 'kind' | 'region' | 'leaseMs'>,
  {at, by}: {readonly at: number; readonly by: NotedEnd['by']},
): Promise<void> {
  const who = by === 'lease' ? `${kind} on ${region} ended with its lease of ${formatMs(leaseMs)}` : `${kind} on ${region} was healed`;
  const ended: NotedEnd = {fault: kind, region, at: new Date(at).toISOString(), by};
  const state = await open.state();
  state.append(runId, {type: 'note', step: null, data: {says: `${who}, by another process than that of the run`, ended}});
}

/** What the last injection of a run says answered on its place before. */
async function journaled(open: OpenFleet, runId: string, region: string): Promise<Outside | null> {
  const events = await open
    .state()
    .then((state) => state.events(runId))
    .catch(() => []);
  const results = events.flatMap(({type, data}) => (type === 'result' ? [memberOf(data, 'result')] : []));
  const before = results.findLast((result) => memberOf(result, 'region') === region && memberOf(result, 'before') !== null);
  return outsideOf(memberOf(before ?? null, 'before'));
}

function outsideOf(value: Json): Outside | null {
  const [answering, silent] = [memberOf(value, 'answering'), memberOf(value, 'silent')];
  if (!Array.isArray(answering) || !Array.isArray(silent)) return null;
  const untold = memberOf(value, 'untold');
  return {answering: answering.map(String), silent: silent.map(String), ...(Array.isArray(untold) ? {untold: untold.map(String)} : {})};
}

function memberOf(value: Json, name: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return (value as Readonly<Record<string, Json>>)[name] ?? null;
}
