// Runs the model-based test against the engine as it is and against mutants that lack one guard each, on the same histories. Says after how
// many histories each failed. Exits with 1 when a mutant survives, or when the engine itself breaks a promise.
// Flags: --histories N (default 10000), --seed N (default 1), --only NAME.
import {parseArgs} from 'node:util';
import fc from 'fast-check';
import {histories} from '../test/sim/generate.ts';
import {type History, tell} from '../test/sim/history.ts';
import {ENGINE, MUTANTS, type Mutant} from '../test/sim/mutants.ts';
import {readable} from '../test/sim/readable.ts';

const {values} = parseArgs({
  options: {histories: {type: 'string', default: '10000'}, seed: {type: 'string', default: '1'}, only: {type: 'string'}},
});
const [count, seed] = [Number(values.histories), Number(values.seed)];
if (!(Number.isInteger(count) && count > 0 && Number.isInteger(seed))) throw new Error('--histories and --seed take whole numbers');

let failed = false;
console.log(`histories: ${count}, seed ${seed}`);
for (const mutant of [...MUTANTS, null]) {
  const name = mutant?.name ?? 'the engine';
  if (values.only !== undefined && values.only !== name) continue;
  const began = performance.now();
  const found = await firstFailure(mutant ?? ENGINE);
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  const isGood = (found === null) === (mutant === null);
  failed ||= !isGood;
  if (found === null) console.log(`${isGood ? '✓' : '✗'} ${name}: no promise broken in ${count} histories (${seconds} s)`);
  else console.log(`${isGood ? '✓' : '✗'} ${name}: fails at history ${found.number}: ${found.says} (${seconds} s)`);
  if (found !== null && mutant === null) console.log(found.history);
}
process.exitCode = failed ? 1 : 0;

async function firstFailure(engine: Mutant): Promise<{number: number; says: string; history: string} | null> {
  for (const [index, history] of sampled().entries()) {
    const told = await tell(history, engine);
    const [violation] = told.violations;
    if (violation !== undefined) return {number: index + 1, says: `${violation.rule}, ${violation.says}`, history: readable(history, told)};
  }
  return null;
}

/** The same ones for each, whoever they are for. */
function sampled(): readonly History[] {
  return fc.sample(histories, {seed, numRuns: count});
}
