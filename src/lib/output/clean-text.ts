import type {CleanDocument, LeftFault} from '../operate/clean.ts';
import type {Meaning, Paint} from './paint.ts';
import {type Cell, table, wrap} from './table.ts';
import {formatTime} from './units.ts';
import {joined, type TextOptions} from './verdict-cell.ts';

const VERDICT: Readonly<Record<CleanDocument['verdict'], readonly [string, Meaning]>> = {
  none: ['no fault is left', 'good'],
  healed: ['every fault has ended', 'good'],
  left: ['faults are left; nothing was done', 'warning'],
  'not-proven': ['it is not proven that every fault has ended', 'critical'],
  unknown: ['it cannot be told whether a fault is left', 'unknown'],
};

/** `drill clean` for people: what was found, what came of it, and the verdict last. */
export function cleanText(document: CleanDocument, {columns, paint}: TextOptions): string {
  const [text, meaning] = VERDICT[document.verdict];
  const rows = document.found.map((fault) => cellsOf(fault, document.verdict === 'left', paint));
  const titles = [
    {title: 'fault'},
    {title: 'place', shrink: false},
    {title: 'state', shrink: false},
    {title: 'since', shrink: false},
    {title: 'run'},
  ];
  const [head = '', ...lines] = rows.length === 0 ? [] : table(titles, rows, columns);
  return joined([
    ...(rows.length === 0 ? [] : [paint.muted(head), ...lines]),
    ...document.found.flatMap(({fault, region, says}) => wrap(`${fault ?? 'fault'} of ${region}: ${says}`, columns)),
    ...document.witness.filter(({removed}) => !removed).flatMap(({says}) => wrap(says, columns).map(paint.warning)),
    ...document.troubles.flatMap((trouble) => wrap(trouble, columns).map(paint.warning)),
    ...notesOf(document).flatMap((note) => wrap(note, columns).map(paint.muted)),
    `${paint.strong('drill clean')}  ${paint[meaning](text)}`,
  ]);
}

function cellsOf({fault, region, since, runId, provenHealed}: LeftFault, isOnlyListed: boolean, paint: Paint): Cell[] {
  const state: Cell = isOnlyListed
    ? {text: 'left', paint: paint.warning}
    : provenHealed === null
      ? {text: 'unknown', paint: paint.unknown}
      : provenHealed
        ? {text: 'proven healed', paint: paint.good}
        : {text: 'not proven healed', paint: paint.critical};
  return [fault ?? 'unknown', region, state, since === null ? 'unknown' : formatTime(since), runId ?? '-'];
}

function notesOf({removed, reapers, witness, logs}: CleanDocument): readonly string[] {
  return [
    ...witness.flatMap((each) => (each.removed ? [each.says] : [])),
    ...(removed === 0
      ? []
      : [`${removed === 1 ? 'The record of a fault' : `The records of ${removed} faults`} that had ended by then: not needed any more.`]),
    ...(logs === 0 ? [] : [`${logs === 1 ? 'A file' : `${logs} files`} of operators whose process is gone: not needed any more.`]),
    ...(reapers === 0 ? [] : [`${reapers === 1 ? 'One reaper' : `${reapers} reapers`} watched over nothing.`]),
  ];
}
