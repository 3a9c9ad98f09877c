// Writes the parts of docs/ that follow from the code's own tables. `--check` only says whether they are up to date.
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {TRANSITIONS, type Transition} from '../src/lib/health/region-states.ts';

const file = join(import.meta.dirname, '../docs/health.md');
const [BEGIN, END] = ['<!-- region states: written by scripts/diagrams.ts -->', '<!-- end of region states -->'];

const before = readFileSync(file, 'utf8');
const [head, rest] = before.split(BEGIN);
const tail = rest?.split(END)[1];
if (head === undefined || tail === undefined) throw new Error(`docs/health.md needs a line "${BEGIN}" and a line "${END}" after it`);
const after = `${head}${BEGIN}\n\n${diagram(TRANSITIONS)}\n\n${table(TRANSITIONS)}\n\n${END}${tail}`;
if (!process.argv.includes('--check')) writeFileSync(file, after);
else if (after !== before) {
  console.error('docs/health.md is out of date: run "node scripts/diagrams.ts"');
  process.exitCode = 1;
}

/** Every way from one state to another, with what leads there. */
function diagram(rows: readonly Transition[]): string {
  const ways = Map.groupBy(
    rows.filter(({from, to}) => from !== to),
    ({from, to}) => `${from} --> ${to}`,
  );
  const lines = [...ways].map(([way, each]) => `  ${way}: ${each.map(({observed, when}) => condition(observed, when)).join(', or ')}`);
  return ['```mermaid', 'stateDiagram-v2', ...lines, '```'].join('\n');
}

function condition(observed: string, when: string): string {
  return when === 'always' ? `seen ${observed}` : `seen ${observed}, ${when.replace('>=', 'at least').replace('<', 'fewer than')}`;
}

function table(rows: readonly Transition[]): string {
  const lines = rows.map(({from, observed, when, to, action, comment}) =>
    [from, observed, when, to === from ? 'stays' : to, action, comment].join(' | '),
  );
  return [
    '| from | seen | when | to | action | why |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines.map((line) => `| ${line} |`),
  ].join('\n');
}
