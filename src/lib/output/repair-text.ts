import type {PlanDocument} from '../plan/plan-document.ts';
import type {Paint} from './paint.ts';
import {gateLines, type Layout} from './run-text.ts';
import {type Cell, table} from './table.ts';
import {formatAge} from './units.ts';
import {indented, joined} from './verdict-cell.ts';

/** What this text needs of a table of a repair plan. */
export type RepairTableView = {
  readonly table: string;
  readonly keys: number;
  readonly layers: Readonly<Record<string, number>>;
  readonly writes: Readonly<Record<string, number>>;
  readonly same: number;
  readonly left: Readonly<Record<string, number>>;
  readonly first: readonly {
    readonly key: string;
    readonly layer: string;
    readonly why: string;
    readonly writes: readonly {readonly region: string; readonly change: string; readonly columns: readonly string[]}[];
  }[];
  readonly firstLeft: readonly {readonly key: string; readonly left: string; readonly why: string}[];
};

/** The `consistency repair plan` document. */
export type RepairPlanView = Pick<PlanDocument, 'planId' | 'gates' | 'overrides'> & {
  readonly repair: {
    readonly store: string;
    readonly audit: {readonly id: string; readonly startedAt: string};
    readonly regions: readonly string[];
    readonly rows: {readonly file: string; readonly writes: number} | null;
    readonly tables: readonly RepairTableView[];
    readonly truncated: readonly string[];
    readonly unread: readonly {readonly table: string; readonly reason: string}[];
  };
};

/** Keys that are shown of each table. */
const SHOWN = 10;

/** `consistency repair plan` for people: per table how many keys by what decides, the first ones with what and why, and what is left and why. `saved`: the plan's file. */
export function repairPlanText(document: RepairPlanView, layout: Layout, saved: string | null): string {
  const {repair} = document;
  const {columns, paint, now} = layout;
  const keys = repair.tables.reduce((sum, each) => sum + each.keys, 0);
  const age = formatAge(Date.parse(repair.audit.startedAt), now);
  const blocks = [
    [
      paint.strong(`repair of ${repair.store}: ${keys === 0 ? 'nothing to write' : `${keys} ${keys === 1 ? 'key' : 'keys'}`}`),
      ...indented(`by the audit ${repair.audit.id} (${age}) of ${repair.regions.join(', ')}; nothing was written yet`, columns).map(
        paint.muted,
      ),
    ],
    ...repair.tables.map((each) => tableLines(each, columns, paint)),
    repair.truncated.flatMap((name) =>
      indented(`The audit did not list all that differs of ${name}: audit again when this is done.`, columns, 0).map(paint.warning),
    ),
    repair.unread.flatMap(({table: name, reason}) => indented(`${name} could not be read: ${reason}`, columns, 0).map(paint.unknown)),
    document.gates.length === 0 ? [] : [paint.strong('Gates'), ...gateLines(document, layout)],
    lastLines(document, saved, keys, columns),
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map(joined)
    .join('\n\n');
}

function lastLines({repair: {rows}}: RepairPlanView, saved: string | null, keys: number, columns: number): readonly string[] {
  if (keys === 0) return indented('There is nothing to write, so no plan was saved.', columns, 0);
  if (saved === null || rows === null) return indented('Save it with -o FILE to run it.', columns, 0);
  return indented(
    `Saved as ${saved}, with ${rows.writes} writes in ${rows.file} beside it. Run it: regionctl consistency repair run --plan ${saved}`,
    columns,
    0,
  );
}

function tableLines(view: RepairTableView, columns: number, paint: Paint): readonly string[] {
  const decided = counts(view.layers, 'by ');
  const written = Object.entries(view.writes).map(([region, count]) => `${count} in ${region}`);
  const head =
    view.keys === 0
      ? 'nothing to write'
      : `${view.keys} ${view.keys === 1 ? 'key' : 'keys'} (${decided}); rows to write: ${written.join(', ')}`;
  const kept = Object.entries(view.left).filter(([, count]) => count > 0);
  return [
    ...indented(`${view.table}: ${head}`, columns, 0).map((line) => line.replace(view.table, paint.strong)),
    ...keyLines(view, columns, paint),
    ...(view.same === 0 ? [] : indented(`${view.same} ${view.same === 1 ? 'is' : 'are'} the same everywhere by now`, columns)),
    ...kept.flatMap(([kind, count]) => [
      ...indented(`${count} ${WORDS[kind] ?? kind}`, columns).map(paint.warning),
      ...view.firstLeft
        .filter(({left}) => left === kind)
        .slice(0, SHOWN)
        .flatMap(({key, why}) => indented(`${key}: ${why}`, columns, 4)),
    ]),
  ];
}

const counts = (all: Readonly<Record<string, number>>, word: string): string =>
  Object.entries(all)
    .flatMap(([name, count]) => (count === 0 ? [] : [`${count} ${word}${name}`]))
    .join(', ');

function keyLines({first, keys}: RepairTableView, columns: number, paint: Paint): readonly string[] {
  const rows = first.slice(0, SHOWN).map(({key, layer, why, writes}): Cell[] => {
    const what = writes
      .map(({region, change, columns: names}) => `${change} ${region}${names.length === 0 ? '' : ` (${names.join(', ')})`}`)
      .join('; ');
    return ['', {text: key, paint: paint.strong}, {text: layer, paint: paint.muted}, what, why];
  });
  const more = keys > rows.length ? indented(`… and ${keys - rows.length} more, in the rows file`, columns).map(paint.muted) : [];
  return [...table([{}, {}, {shrink: false}, {}, {}], rows, columns), ...more];
}

const WORDS: Readonly<Record<string, string>> = {
  newer: 'refused: written since the audit',
  person: 'left to a person',
  standby: 'left: of a standby that has to be rebuilt',
  'not-taken': 'left: a member does not take the row',
  'not-named': 'left: not asked for',
};
