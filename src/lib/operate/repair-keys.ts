import type {DivergentKey} from '../consistency/audit/model.ts';
import type {PageKey} from '../consistency/repair/resolve-page.ts';
import {refused, usageError} from '../errors.ts';
import type {StoreSpec} from '../fleet/fleet.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {auditIds, type LoggedAudit, readAuditLog} from '../state/audit-log.ts';

/** Which keys are repaired. `tables` as `schema.table`, `keys` as the audit prints them; empty = all. `takes`: the region whose version each key gets. */
export type RepairChoice = {
  readonly tables: readonly string[];
  readonly keys: readonly string[];
  readonly takes: readonly {readonly key: string; readonly region: string}[];
};

/** `KEY=REGION`. A key may hold `=` itself. */
export function takeOf(text: string): RepairChoice['takes'][number] {
  const at = text.lastIndexOf('=');
  if (at < 1 || at === text.length - 1) throw usageError(`--take wants KEY=REGION, and got "${text}"`);
  return {key: text.slice(0, at), region: text.slice(at + 1)};
}

/** The audit that a repair goes by. Throws for one that is not there (64), and for one that did not come to its end (77). */
export function findAudit(open: OpenFleet, {name}: StoreSpec, id: string | undefined): LoggedAudit {
  const of = {fleet: open.fleet.name, store: name};
  const ids = auditIds(open.stateDir, of);
  const found =
    id === undefined
      ? newestEnded(ids.flatMap((each) => readAuditLog(open.stateDir, of, each) ?? []))
      : readAuditLog(open.stateDir, of, id);
  if (found === undefined || found === null) {
    if (id === undefined)
      throw refused('no-audit', `there is no audit of ${name} that came to its end`, {suggestions: ['regionctl consistency audit']});
    throw usageError(`there is no audit ${id} of ${name}`, {
      suggestions: [ids.length === 0 ? 'Begin one: regionctl consistency audit' : `There are: ${ids.join(', ')}.`],
    });
  }
  if (!found.ended)
    throw refused('audit-open', `the audit ${found.head.id} has not come to its end`, {
      suggestions: [`regionctl consistency audit --resume ${found.head.id}`],
    });
  return found;
}

/** By when they began: ids that were given within one second stand in no order. */
const newestEnded = (logs: readonly LoggedAudit[]): LoggedAudit | undefined =>
  logs
    .filter(({ended}) => ended)
    .toSorted((a, b) => (a.head.startedAt < b.head.startedAt ? -1 : 1))
    .at(-1);

/** The keys of one table, those that were not asked for as well: an audit afterwards will find them. */
export type TableKeys = {readonly table: string; readonly keys: readonly (PageKey & {readonly chosen: boolean})[]};

/** What an audit found to differ, narrowed to what was asked for. Throws for a table or key (64) that the audit does not list. */
export function keysOf(spec: StoreSpec, logged: LoggedAudit, choice: RepairChoice): readonly TableKeys[] {
  const {tables, keys, takes} = choice;
  const regions = logged.head.members.map(({region}) => region);
  for (const {region} of takes)
    if (!regions.includes(region))
      throw usageError(`--take names the region ${region}, which the audit did not read`, {
        suggestions: [`It read ${regions.join(', ')}.`],
      });
  const missing = tables.find((table) => logged.tables.get(table)?.result == null);
  if (missing !== undefined)
    throw usageError(`the audit ${logged.head.id} of ${spec.name} has no result of a table "${missing}"`, {
      suggestions: [`It has of: ${[...logged.tables.keys()].join(', ')}.`],
    });
  const all = [...logged.tables].flatMap(([table, {result}]) =>
    result === null || result.divergent.length === 0 || (tables.length > 0 && !tables.includes(table))
      ? []
      : [{table, divergent: result.divergent}],
  );
  assertListed(all, choice, logged.head.id);
  const isChosen = (key: string): boolean => keys.length === 0 || keys.includes(key) || takes.some((take) => take.key === key);
  return all.flatMap(({table, divergent}) => {
    const own = divergent.map(({key, hashes}) => ({
      key,
      seen: hashes ?? olderAudit(logged.head.id),
      named: keys.includes(key),
      take: takes.find((take) => take.key === key)?.region ?? null,
      chosen: isChosen(key),
    }));
    return own.some(({chosen}) => chosen) ? [{table, keys: own}] : [];
  });
}

/** A key that is in two tables is two rows: which of them is meant has to be said. */
function assertListed(
  all: readonly {readonly table: string; readonly divergent: readonly DivergentKey[]}[],
  {keys, takes}: RepairChoice,
  id: string,
): void {
  for (const key of [...keys, ...takes.map((take) => take.key)]) {
    const inTables = all.filter(({divergent}) => divergent.some((each) => each.key === key)).map(({table}) => table);
    if (inTables.length === 0)
      throw usageError(`the audit ${id} lists no key "${key}"`, {suggestions: ['Give the key as consistency audit prints it.']});
    if (inTables.length > 1)
      throw usageError(`the key "${key}" is in ${inTables.join(' and ')}`, {suggestions: inTables.map((table) => `--table ${table}`)});
  }
}

function olderAudit(id: string): never {
  throw refused('audit-too-old', `the audit ${id} was made by an older regionctl, which did not keep what it saw of each row`, {
    suggestions: ['regionctl consistency audit'],
  });
}
