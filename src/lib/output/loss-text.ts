import {rpoCell} from './lag-text.ts';
import {type Cell, type Column, table} from './table.ts';
import {formatBytes, formatMs, formatTime, NOT_MEASURED} from './units.ts';
import {indented, joined, type TextOptions} from './verdict-cell.ts';

/** What this text needs of a store in the `replication loss` document. */
export type LossRow = {
  readonly store: string;
  readonly bytes: number | null;
  readonly transactions: number | null;
  readonly seconds: number | null;
  readonly certainty: 'exact' | 'bound' | 'estimate' | 'unknown';
  readonly basis: string;
  readonly withinRpo: boolean | null;
  readonly objectives: readonly {readonly class: string; readonly rpoMs: number; readonly withinRpo: boolean | null}[];
  /** Others promote it. */
  readonly watched?: true;
};

/** The `replication loss` document. `blocking`: whether these stores must not be promoted as they stand. */
export type LossView = {
  readonly at: string;
  readonly to: string;
  readonly stores: readonly LossRow[];
  readonly blocking: boolean;
  readonly blockedBy: readonly string[];
};

const COLUMNS: readonly Column[] = [
  {title: 'store'},
  {title: 'transactions', align: 'right', shrink: false},
  {title: 'bytes', align: 'right', shrink: false},
  {title: 'seconds', align: 'right', shrink: false},
  {title: 'certainty', shrink: false},
  {title: 'RPO', shrink: false},
];

/** `replication loss` for people: what a promotion now would lose, how sure that is, and what it rests on. */
export function lossText(document: LossView, options: TextOptions): string {
  const {columns, paint} = options;
  const {blocking, stores, to, at} = document;
  const head = indented(`what a promotion of ${to} would lose, at ${formatTime(at)}`, columns, 0);
  if (stores.length === 0) return joined([...head, ...indented('no store has a member there', columns)]);
  const [titles = '', ...lines] = table(
    COLUMNS,
    stores.map((store) => lossRow(store, options)),
    columns,
  );
  const verdict = blocking ? 'this stands in the way of a promotion as things are' : 'nothing stands in the way of a promotion';
  return joined([
    ...head,
    paint.muted(titles),
    ...lines,
    ...stores.flatMap(({store, basis, watched}) =>
      indented(`${store}: ${basis}${watched === true ? ' It is watched only: others promote it.' : ''}`, columns),
    ),
    ...stores.flatMap((store) => (store.objectives.length < 2 ? [] : indented(classesSay(store), columns))),
    ...indented(verdict, columns, 0).map((line) => (blocking ? paint.critical(line) : paint.good(line))),
  ]);
}

/** Of several data classes in one store, each by its own objective: the column has the strictest. */
function classesSay({store, objectives}: LossRow): string {
  const words = objectives.map(({class: name, rpoMs, withinRpo}) => {
    const word = withinRpo === null ? 'unknown' : withinRpo ? 'met' : 'missed';
    return `${name} (RPO ${formatMs(rpoMs)}) ${word}`;
  });
  return `${store} by data class: ${words.join(', ')}`;
}

function lossRow({store, transactions, bytes, seconds, certainty, withinRpo}: LossRow, {paint}: TextOptions): Cell[] {
  const sure = certainty === 'unknown' ? {text: certainty, paint: paint.unknown} : certainty;
  // An estimate is no bound: not that it could be taken for one.
  const about = certainty === 'estimate' ? '~' : '';
  const count = transactions === null ? NOT_MEASURED : `${about}${transactions}`;
  const size = bytes === null ? NOT_MEASURED : `${about}${formatBytes(bytes)}`;
  return [store, count, size, formatMs(seconds === null ? null : seconds * 1000), sure, rpoCell(withinRpo, paint)];
}
