import type {DoctorDocument} from '../operate/examine.ts';
import type {Finding} from '../ports/finding.ts';
import type {Meaning, Paint} from './paint.ts';
import {type Cell, table, wrap} from './table.ts';
import {textWidth} from './text-width.ts';

const MEANING: Readonly<Record<Finding['verdict'], Meaning>> = {pass: 'good', warning: 'warning', error: 'critical', unknown: 'unknown'};
/** The sentence of a finding has at least this much room, however long the names before it are. */
const LEAST_ROOM = 20;

/** The findings of `doctor` as text: one line each, of those that need something with its fix below; a sentence that is told nowhere else is told whole. */
export function doctorText({checks}: DoctorDocument, {columns, paint}: {readonly columns: number; readonly paint: Paint}): string {
  const [verdicts, names] = [longest(checks.map(({verdict}) => verdict)), longest(checks.map(({check}) => check))];
  const room = Math.max(LEAST_ROOM, columns - verdicts - names - 4);
  const rows = checks.flatMap((finding) => rowsOf(finding, room, paint));
  const lines = table([{shrink: false}, {shrink: false}, {}], rows, columns);
  const fixes = checks
    .filter(({fix}) => fix !== null)
    .flatMap(({check, says, fix}) => ['', ...wrap(`${check}: ${says}`, columns), ...wrap(`  Fix: ${fix}`, columns)]);
  const bad = checks.filter(({verdict}) => verdict !== 'pass').length;
  return [
    ...lines,
    ...fixes,
    '',
    bad === 0 ? `All ${checks.length} checks pass.` : `${bad} of ${checks.length} checks need attention.`,
  ].join('\n');
}

function rowsOf({check, verdict, says, fix}: Finding, room: number, paint: Paint): readonly (readonly Cell[])[] {
  const painted = {text: verdict, paint: paint[MEANING[verdict]]};
  const [first = '', ...more] = fix === null ? wrap(says, room) : [says];
  return [[painted, check, first], ...more.map((line) => ['', '', line])];
}

function longest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => textWidth(text)));
}
