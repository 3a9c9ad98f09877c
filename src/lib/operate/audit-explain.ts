import {chooseTables} from '../consistency/audit/choose-tables.ts';
import {isRegionctlError, messageOf} from '../errors.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {type AuditOptions, auditable, membersOf} from './audit.ts';

/** What an audit would read. `says` how, or why not, with a `code` then. */
export type AuditPlanDocument = {
  readonly store: string;
  readonly regions: readonly string[];
  readonly lost: readonly {readonly region: string; readonly code: string; readonly reason: string}[];
  readonly tables: readonly {
    readonly table: string;
    readonly rows: number;
    readonly bytes: number;
    readonly says: string;
    readonly code: string | null;
  }[];
  readonly skipped: readonly {readonly table: string; readonly reason: string}[];
};

/** Reads the catalogs and the ends of the keys, and no row beyond. */
export async function explainAudit(
  open: OpenFleet,
  options: Pick<AuditOptions, 'store' | 'regions' | 'tables' | 'sliceMs' | 'signal'>,
): Promise<AuditPlanDocument> {
  const {spec, ability} = auditable(open, options.store);
  const members = membersOf(spec, options.regions);
  const {signal} = options;
  const cells = await ability.tables(
    members.map(({member}) => member),
    signal,
  );
  const catalogs = new Map(members.flatMap(({member}) => (cells[member]?.known === true ? [[member, cells[member].value] as const] : [])));
  const lost = members.flatMap(({member, region}) => {
    const cell = cells[member];
    return cell?.known === false ? [{region, code: cell.code, reason: cell.reason}] : [];
  });
  const only = options.tables.length > 0 ? options.tables : (spec.consistency?.only ?? null);
  const {tables, skipped} = chooseTables(catalogs, {only, ignore: spec.consistency?.ignore ?? []});
  const rows: AuditPlanDocument['tables'][number][] = [];
  for (const {name, rows: count, bytes} of tables) {
    const own = {table: name, rows: Math.round(count), bytes};
    try {
      const {says} = await ability.open(name, [...catalogs.keys()], {sliceMs: options.sliceMs}, signal);
      rows.push({...own, says, code: null});
    } catch (error) {
      signal.throwIfAborted();
      rows.push({...own, says: messageOf(error), code: isRegionctlError(error) ? error.code : 'error'});
    }
  }
  return {store: spec.name, regions: members.map(({region}) => region), lost, tables: rows, skipped};
}
