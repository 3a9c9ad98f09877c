import type {Seen} from '../../src/lib/drill/fault-end.ts';
import type {FaultEntry} from '../../src/lib/drill/fault-ledger.ts';
import {type Cell, known} from '../../src/lib/snapshot/cell.ts';

/** A record of the ledger. */
export function entryWith(more: Partial<FaultEntry> = {}): FaultEntry {
  return {
    ...{v: 1, id: 'f1', fleet: 'lab', fleetFile: '/fleet.yaml', injector: 'signal', runId: 'drill-1', kind: 'freeze', region: 'east'},
    ...{since: 1_800_000_000_000, leaseMs: 60_000, lateMs: 0, injected: true, by: {pid: 4711, start: '1'}, reaper: null, before: null},
    ...more,
  };
}

/** A place, seen from outside. */
export function seen(more: Partial<Seen>): Cell<Seen> {
  return known({answering: [], silent: [], refused: [], stopped: [], untold: [], ...more}, 0, 'test');
}
