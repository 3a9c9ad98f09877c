import type {DoctorDocument} from '../operate/examine.ts';
import type {Finding} from '../ports/finding.ts';
import type {Meaning, Paint} from './paint.ts';
import {table, wrap} from './table.ts';

const MEANING: Readonly<Record<Finding['verdict'], Meaning>> = {pass: 'good', warning: 'warning', error: 'critical', unknown: 'unknown'};

/** The findings of `doctor` as text: what passed in one line each, what did not with its fix below. */
export function doctorText({checks}: DoctorDocument, {columns, paint}: {readonly columns: number; readonly paint: Paint}): string {
  const rows = checks.map(({check, verdict, says}) => [{text: verdict, paint: paint[MEANING[verdict]]}, check, says]);
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
