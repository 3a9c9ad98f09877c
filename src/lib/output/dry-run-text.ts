import type {PlanDocument} from '../plan/plan-document.ts';
import type {Rehearsed} from '../run/rehearse.ts';
import type {Meaning} from './paint.ts';
import {type Layout, planText} from './run-text.ts';
import {type Cell, table} from './table.ts';

/** What `--dry-run` prints: the plan, and what was found of each step. */
export type DryRunDocument = PlanDocument & {readonly dryRun: readonly Rehearsed[]};

const WORDS: Readonly<Record<Rehearsed['standing'], {word: string; meaning: Meaning}>> = {
  'already-done': {word: 'done already', meaning: 'muted'},
  'would-run': {word: 'would run', meaning: 'good'},
  'waits-for-earlier-steps': {word: 'after the others', meaning: 'muted'},
  'target-unknown': {word: 'unknown', meaning: 'unknown'},
  'target-elsewhere': {word: 'unexpected', meaning: 'critical'},
};

/** A dry run for people. */
export function dryRunText(document: DryRunDocument, layout: Layout): string {
  const {columns, paint} = layout;
  const rows = document.dryRun.map(({id, says, standing, detail}): Cell[] => {
    const {word, meaning} = WORDS[standing];
    return ['', {text: word, paint: paint[meaning]}, id, detail === '' ? says : `${says} (${detail})`];
  });
  const found = table([{}, {shrink: false}, {shrink: false}, {}], rows, columns);
  return [planText(document, layout), '', paint.strong('Dry run: nothing was touched'), ...found].join('\n');
}
