import type {CostObjectiveRow, CostRow} from '../capacity/cost/cost.ts';
import type {CostDocument, CostDocumentRow} from '../capacity/cost/document.ts';
import type {TransferCost} from '../capacity/cost/transfer.ts';
import {figure} from '../capacity/survive/figures.ts';
import {counted} from './forecast-words.ts';
import type {Cell, Column} from './table.ts';
import {titledTable} from './titled-table.ts';
import {formatTime, NOT_MEASURED} from './units.ts';
import {indented, joined, listItem, type TextOptions} from './verdict-cell.ts';

const RIGHT = {align: 'right', shrink: false} as const;
/** More changes than these say less than the summary. */
const MOST_RUNS = 40;

/** `capacity cost` for people: each load with its replicas and its price, transfer, tiers and objectives. One load alone also shows what runs when. */
export function costText(document: CostDocument, options: TextOptions): string {
  const {columns, paint} = options;
  const {rows, missing, warnings, notes, currency, growth} = document;
  const grown = growth === null ? '' : `, times ${figure(growth.factor)} as on ${growth.at.slice(0, 10)} at a growth of ${growth.text}`;
  const head = `capacity cost from ${formatTime(document.at)} to ${formatTime(document.until)}, by the p90 of the forecasts${grown}; ${currency} per month of 730 h`;
  const [only, ...others] = rows;
  return joined([
    ...indented(head, columns, 0),
    ...loadTable(document, options),
    ...(only !== undefined && others.length === 0 ? runLines(only, options) : []),
    ...transferLines(document, options),
    ...tierTable(rows, options),
    ...document.objectives.flatMap((each) => objectiveLine(each, document, options)),
    ...rows.flatMap((row) => shortLines(row, columns)),
    ...missing.flatMap(({name, region, reason}) =>
      listItem(`${name}${region === null ? '' : ` of ${region}`} is not planned: ${reason}`, columns),
    ),
    ...[...notes, ...warnings].flatMap((each) => listItem(each, columns).map(paint.warning)),
  ]);
}

function loadTable({rows, perMonth, fixedPerMonth, saved, transfer}: CostDocument, options: TextOptions): readonly string[] {
  const heads: readonly Column[] = [
    {title: 'load'},
    {title: 'region'},
    {title: 'replicas', ...RIGHT, drop: 3},
    {title: 'instances', ...RIGHT, drop: 4},
    // How instances are bought is the first that is left out.
    ...['reserved', 'on demand', 'spot'].map((title): Column => ({title, ...RIGHT, drop: 5})),
    {title: 'a month', ...RIGHT},
    {title: 'if fixed', ...RIGHT, drop: 2},
    {title: 'saved', ...RIGHT, drop: 1},
  ];
  const lines = rows.map((row): Cell[] => [
    ...[row.series, row.region, `${row.replicas.min}-${row.replicas.max}`, String(row.instances)],
    ...[String(row.reserved), percent(row.shares.onDemand), percent(row.shares.spot)],
    ...[money(row.perMonth), money(row.fixedPerMonth), percent(row.saved)],
  ]);
  const blanks = ['', '', '', '', '', ''];
  const of = (what: string, cost: number | null, fixed = '', less = ''): Cell[] => [what, ...blanks, money(cost), fixed, less];
  const instances = rows.reduce((all, row) => all + row.perMonth, 0);
  const less = saved === null ? NOT_MEASURED : percent(saved);
  const sums =
    transfer.rows.length === 0
      ? [of('together', perMonth, money(fixedPerMonth), less)]
      : [of('instances', instances, money(fixedPerMonth), less), of('transfer', transfer.perMonth), of('together', perMonth)];
  return titledTable(heads, [...lines, ...sums], options);
}

function runLines({series, region, runs}: CostDocumentRow, {columns, paint}: TextOptions): readonly string[] {
  const shown = runs.slice(0, MOST_RUNS);
  const lines = shown.map(({from, replicas}): Cell[] => [hourOf(from), String(replicas)]);
  const body = titledTable([{title: 'from'}, {title: 'replicas', ...RIGHT}], lines, {columns, paint});
  const rest = runs.length - shown.length;
  return [
    ...indented(`what runs for ${series} of ${region}`, columns, 0),
    ...body,
    ...(rest === 0 ? [] : indented(`and ${counted(rest, 'more change')}; --json has all of them`, columns)),
  ];
}

function transferLines({transfer, planned}: CostDocument, options: TextOptions): readonly string[] {
  if (transfer.rows.length === 0 && (planned?.rows.length ?? 0) === 0) return [];
  const both = [{what: 'today', cost: transfer}, ...(planned === null ? [] : [{what: 'planned', cost: planned}])];
  const lines = both.flatMap(({what, cost}) => [
    ...cost.rows.map((row): Cell[] => [what, row.name, row.from, row.to, figure(row.gb), money(row.cost)]),
    [`${what} together`, '', '', '', figure(sumOf(cost)), money(cost.perMonth)],
  ]);
  const heads: readonly Column[] = [
    {title: 'transfer'},
    {title: 'data', drop: 2},
    {title: 'from'},
    {title: 'to'},
    {title: 'GB', ...RIGHT, drop: 1},
    {title: 'a month', ...RIGHT},
  ];
  return titledTable(heads, lines, options);
}

const sumOf = ({rows}: TransferCost): number => rows.reduce((sum, {gb}) => sum + gb, 0);

function tierTable(rows: readonly CostRow[], options: TextOptions): readonly string[] {
  const heads: readonly Column[] = [
    {title: 'in tier'},
    {title: 'region', drop: 1},
    {title: 'now', shrink: false, drop: 2},
    {title: 'hot', ...RIGHT},
    {title: 'warm', ...RIGHT},
    {title: 'cold', ...RIGHT},
  ];
  return titledTable(
    heads,
    rows.map(({series, region, tier, tiers}) => [series, region, tier, money(tiers.hot), money(tiers.warm), money(tiers.cold)]),
    options,
  );
}

const OBJECTIVES: Readonly<Record<CostObjectiveRow['kind'], string>> = {
  'per-month': 'budget of a month',
  'unit-cost': 'unit cost',
  savings: 'saved against fixed capacity',
};

function objectiveLine(
  {kind, target, measured, met}: CostObjectiveRow,
  {unitCost, currency}: CostDocument,
  {columns, paint}: TextOptions,
): readonly string[] {
  const shown = (value: number): string =>
    kind === 'savings' ? percent(value) : `${kind === 'unit-cost' ? figure(value) : money(value)} ${currency}`;
  const of = kind === 'unit-cost' && unitCost !== null ? ` for ${figure(unitCost.per)} of ${unitCost.series}` : '';
  const bound = kind === 'savings' ? 'at least' : 'at most';
  const verdict = met === null ? 'could not be measured' : met ? 'met' : 'missed';
  const text = `${OBJECTIVES[kind]}${of}: ${measured === null ? NOT_MEASURED : shown(measured)}, ${bound} ${shown(target)}: ${verdict}`;
  return indented(text, columns, 0).map(met === null ? paint.unknown : met ? paint.good : paint.critical);
}

function shortLines({series, region, short}: CostDocumentRow, columns: number): readonly string[] {
  const [first] = short;
  if (first === undefined) return [];
  const most = Math.max(...short.map(({replicas}) => replicas));
  const steps = counted(short.length, 'step');
  return listItem(
    `${series} of ${region} needs more replicas than it may have in ${steps}, first at ${hourOf(first.at)}: up to ${most}`,
    columns,
  );
}

/** More money than this has no digits that anybody counts. */
const COUNTABLE = 1e15;

const percent = (value: number): string => `${figure(value)} %`;
const hourOf = (at: string): string => `${at.slice(5, 16).replace('T', ' ')}Z`;

/** Money with cents while it is little. */
function money(value: number | null): string {
  if (value === null) return NOT_MEASURED;
  if (Math.abs(value) >= COUNTABLE) return figure(value);
  const digits = Math.abs(value) >= 1000 ? 0 : 2;
  return value.toLocaleString('en-US', {minimumFractionDigits: digits, maximumFractionDigits: digits});
}
