import type {FaultCare} from '../drill/fault-care.ts';
import {faultLedger, type Outside} from '../drill/fault-ledger.ts';
import type {Json} from '../plan/json.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
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

/** What the last injection of a run says answered on its place before. */
async function journaled(open: OpenFleet, runId: string, region: string): Promise<Outside | null> {
  const events = await open.state().then(
    (state) => state.events(runId),
    () => [],
  );
  const results = events.flatMap(({type, data}) => (type === 'result' ? [memberOf(data, 'result')] : []));
  const before = results.findLast((result) => memberOf(result, 'region') === region && memberOf(result, 'before') !== null);
  return outsideOf(memberOf(before ?? null, 'before'));
}

function outsideOf(value: Json): Outside | null {
  const [answering, silent] = [memberOf(value, 'answering'), memberOf(value, 'silent')];
  return Array.isArray(answering) && Array.isArray(silent) ? {answering: answering.map(String), silent: silent.map(String)} : null;
}

function memberOf(value: Json, name: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return (value as Readonly<Record<string, Json>>)[name] ?? null;
}
