import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {histories} from './generate.ts';
import {type Told, tell} from './history.ts';
import {ENGINE, MUTANTS} from './mutants.ts';
import {readable} from './readable.ts';

const FIXED = 20_261_125;
const FIXED_RUNS = 200;
const RANDOM_RUNS = 120;
/** As many as the quickest mutants need, several times over. */
const MUTANT_RUNS = 500;

/** No acknowledged write is missing, no two primaries acknowledge, no proof is wrong, no effect comes before its intent, one process at a time acts. */
const safe = (look: (told: Told) => void = () => {}) =>
  fc.asyncProperty(histories, async (history) => {
    const told = await tell(history, ENGINE);
    look(told);
    if (told.violations.length > 0) throw new Error(readable(history, told));
  });

/** Machines that are busy with other tests are slow. Nothing here depends on it. */
const PATIENCE_MS = 120_000;

describe('the plan engine on a simulated fleet', () => {
  it('keeps every promise in histories that are the same each time, and that matter', {timeout: PATIENCE_MS}, async () => {
    const seen: Told[] = [];
    await fc.assert(
      safe((told) => void seen.push(told)),
      {seed: FIXED, numRuns: FIXED_RUNS},
    );
    const share = (which: (told: Told) => boolean): number => seen.filter(which).length / seen.length;
    const says = (told: Told, text: string): boolean => told.fleet.history.some((line) => line.includes(text));
    const promoted = share(({fleet}) => fleet.truth.promotions.length > 0);
    expect(promoted).toBeGreaterThan(0.4);
    // The wanted target lacks what another standby has.
    expect(share((told) => says(told, 'writes intent catch-up')) / promoted).toBeGreaterThan(0.3);
    expect(share((told) => says(told, 'is stopped (SIGSTOP)'))).toBeGreaterThan(0.2);
    expect(share(({runs}) => runs.some(({job, end}) => !('to' in job) && end?.outcome !== 'refused'))).toBeGreaterThan(0.1);
    const acknowledged = seen.reduce((sum, {fleet}) => sum + fleet.truth.promised.length, 0);
    expect(acknowledged).toBeGreaterThan(100 * seen.length);
  });

  it('keeps every promise in histories that nobody has seen before', {timeout: PATIENCE_MS}, async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    process.stdout.write(`model test: random seed ${seed}\n`);
    await fc.assert(safe(), {seed, numRuns: RANDOM_RUNS});
  });

  it('tells the same history the same way each time', async () => {
    const [history] = fc.sample(histories, {seed: FIXED, numRuns: 1});
    if (history === undefined) throw new Error('no history');
    const [once, again] = [await tell(history, ENGINE), await tell(history, ENGINE)];
    expect(again.fleet.history).toEqual(once.fleet.history);
    expect(once.fleet.history.length).toBeGreaterThan(10);
  });
});

describe.each(MUTANTS)('without a guard: $name', (mutant) => {
  it('a promise is broken', {timeout: PATIENCE_MS}, async () => {
    for (const history of fc.sample(histories, {seed: FIXED, numRuns: MUTANT_RUNS})) {
      if ((await tell(history, mutant)).violations.length > 0) return;
    }
    expect.fail(`${MUTANT_RUNS} histories did not tell it from the engine with all its guards`);
  });
});
