import type {Meaning, Paint} from './paint.ts';
import {type Cell, table} from './table.ts';
import {formatMs, formatTime, NOT_MEASURED} from './units.ts';
import {indented, joined, type TextOptions} from './verdict-cell.ts';

/** The `consistency explain` document. */
export type ExplainView = {
  readonly at: string;
  readonly store: string;
  readonly table: string;
  readonly key: string;
  readonly verdict: 'equal' | 'late' | 'diverged' | 'unknown';
  readonly class: string | null;
  readonly regions: readonly string[];
  readonly why: string;
  readonly differs: readonly string[];
  readonly suspects: readonly string[];
  readonly rule: Readonly<Record<string, string>>;
  readonly versions: readonly {
    readonly region: string;
    readonly row: Readonly<Record<string, string | null>> | null;
    readonly committedAt: string | null;
    readonly origin: string | null;
    readonly clockOffMs: number | null;
  }[];
  readonly lost: readonly {readonly region: string; readonly reason: string}[];
};

const MEANINGS: Readonly<Record<ExplainView['verdict'], Meaning>> = {equal: 'good', late: 'good', diverged: 'warning', unknown: 'unknown'};

/** What clocks in a column mean, for people. */
const CLOCKS: Readonly<Record<string, (text: string) => string>> = {
  hlc: (text) => (/^\d{1,19}$/.test(text) ? `${text} (${hlcText(BigInt(text))})` : text),
};

/** `consistency explain` for people: the versions side by side, and why they are not the same. */
export function explainText(document: ExplainView, options: TextOptions): string {
  const {columns, paint} = options;
  const {store, table: name, key, verdict, regions, why, suspects, lost} = document;
  const kind = document.class === null ? verdict : `${document.class}${regions.length === 0 ? '' : ` in ${regions.join(', ')}`}`;
  const late = verdict === 'late' ? ['It differed at first, and was the same once replication had caught up.'] : [];
  return joined([
    ...indented(`${name} ${key} of ${store}: `, columns, 0).map((line, index, all) =>
      index === all.length - 1 ? `${line} ${paint[MEANINGS[verdict]](kind)}` : line,
    ),
    ...[why, ...late].flatMap((text) => indented(text, columns)),
    ...suspects.flatMap((suspect) => indented(SUSPECTS[suspect] ?? `suspect: ${suspect}`, columns).map(paint.critical)),
    '',
    ...sideBySide(document, columns, paint),
    ...lost.flatMap(({region, reason}) => indented(`${region} could not be read: ${reason}`, columns).map(paint.unknown)),
  ]);
}

const SUSPECTS: Readonly<Record<string, string>> = {
  'clock-skew': 'Suspect: a clock is off, so that the version that looks newest may not be it.',
  'lost-delete': 'Suspect: a delete was lost. The row was deleted in one region, and lives on or came back in another.',
};

function sideBySide({versions, differs, rule}: ExplainView, columns: number, paint: Paint): readonly string[] {
  const names = [...new Set(versions.flatMap(({row}) => Object.keys(row ?? {})))];
  // What differs is what was asked for.
  const ordered = [...names.filter((name) => differs.includes(name)), ...names.filter((name) => !differs.includes(name))];
  const value = (name: string, row: ExplainView['versions'][number]['row']): Cell => {
    if (row === null) return {text: name === ordered[0] ? 'no such row' : '', paint: paint.warning};
    const text = row[name] ?? null;
    const shown = text === null ? 'NULL' : (CLOCKS[rule[name] ?? '']?.(text) ?? text);
    return differs.includes(name) ? {text: shown, paint: paint.warning} : shown;
  };
  const about = (what: string, of: (version: ExplainView['versions'][number]) => string): Cell[] => [
    {text: what, paint: paint.muted},
    ...versions.map(of),
  ];
  const rows: Cell[][] = [
    ...ordered.map((name): Cell[] => [
      rule[name] === undefined ? name : `${name} (${rule[name]})`,
      ...versions.map(({row}) => value(name, row)),
    ]),
    about('committed', ({committedAt}) => (committedAt === null ? NOT_MEASURED : microseconds(committedAt))),
    about('came from', ({origin, row}) => (row === null ? '' : (origin ?? 'here, or not known'))),
    ...(versions.some(({clockOffMs}) => clockOffMs !== null) ? [about('clock', ({clockOffMs}) => clockText(clockOffMs))] : []),
  ];
  const [titles = '', ...lines] = table([{title: ''}, ...versions.map(({region}) => ({title: region}))], rows, columns);
  return [paint.muted(titles), ...lines];
}

/** A time of a commit keeps its microseconds: two of them can be one apart. */
const microseconds = (at: string): string => at.replace('T', ' ');

const clockText = (offMs: number | null): string =>
  offMs === null
    ? NOT_MEASURED
    : Math.abs(offMs) < 1
      ? 'as ours'
      : `${formatMs(Math.abs(Math.round(offMs)))} ${offMs > 0 ? 'ahead' : 'behind'}`;

const hlcText = (hlc: bigint): string => `${formatTime(Number(hlc >> 16n))} +${hlc & 0xffffn}`;
