import {existsSync} from 'node:fs';
import {join} from 'node:path';
import type {AuditDone, AuditOrder, RepairWorld} from '../consistency/repair/world.ts';
import {isRegionctlError, refused} from '../errors.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {audit} from './audit.ts';

/** Where this machine keeps the rows of the repairs that it has run: an undo needs them for as long as the run is there. */
export const rowsDir = (stateDir: string): string => join(stateDir, 'repairs');

/** Rows files that lie elsewhere, by their digests: those of plans that are only rehearsed. */
export type RowsElsewhere = Map<string, string>;

/** What repairs work on. */
export function repairWorld(open: OpenFleet, elsewhere: RowsElsewhere): RepairWorld {
  return {
    clock: open.clock,
    stores: open.stores,
    independent: open.independent,
    rows: {
      find: (sha256) => {
        const kept = join(rowsDir(open.stateDir), `${sha256}.ndjson`);
        const found = existsSync(kept) ? kept : elsewhere.get(sha256);
        if (found !== undefined) return found;
        throw refused('rows-missing', `the rows of the plan are not kept on this machine: ${kept}`, {
          suggestions: ['go on with the run where it was begun'],
        });
      },
    },
    audit: (order) => auditAfter(open, order),
  };
}

/** Only what was written since the last audit, where there is one of the same members. */
async function auditAfter(open: OpenFleet, order: AuditOrder): Promise<AuditDone> {
  try {
    return await auditOnce(open, order, true);
  } catch (error) {
    if (!isRegionctlError(error) || error.code !== 'no-baseline') throw error;
    return auditOnce(open, order, false);
  }
}

async function auditOnce(open: OpenFleet, order: AuditOrder, quick: boolean): Promise<AuditDone> {
  const {store, tables, members, settleMs, limit, signal} = order;
  const spec = open.fleet.stores.find(({name}) => name === store);
  const regions = spec?.members.filter(({name}) => members.some(({member}) => member === name)).map(({region}) => region) ?? [];
  const {document} = await audit(open, {
    ...{store, regions: [...new Set(regions)], tables, quick, resume: undefined, sliceMs: 1000, settleMs, limit},
    limits: {maxLagMs: null, maxLoad: null, waitMs: null},
    onBegin: () => {},
    onProgress: () => {},
    signal,
  });
  return {id: document.audit, mode: document.mode, verdict: document.verdict, reason: document.reason, tables: document.tables};
}
