import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, it} from 'vitest';
import {stateContract} from '../../../src/kit/testing.ts';
import type {State} from '../../../src/lib/ports/state.ts';
import {systemClock} from '../../../src/lib/run/system-clock.ts';
import {openState} from '../../../src/lib/state/sqlite.ts';
import {planOf, step} from '../../run/world.ts';
import {failuresOf} from './failures.ts';

function said(lie: (state: State) => Partial<State>): Promise<string[]> {
  return failuresOf((runner) =>
    stateContract(runner, async () => {
      const dir = mkdtempSync(join(tmpdir(), 'regionctl-test-'));
      return {
        open: async () => {
          const state = await openState({dir, clock: systemClock()});
          return {...state, ...lie(state)};
        },
        plan: planOf([step('a')]),
        close: async () => rmSync(dir, {recursive: true, force: true}),
      };
    }),
  );
}

const LEASE = {token: 'mine', check: () => undefined, release: () => undefined};

it.each<[string, (state: State) => Partial<State>, string]>([
  ['counts from 0', ({append}) => ({append: (...line) => ({...append(...line), seq: append(...line).seq - 2})}), 'counts the lines'],
  ['gives lines in another order', ({events}) => ({events: (run, after) => events(run, after).toReversed()}), 'counts the lines'],
  ['loses a field', ({events}) => ({events: (run, after) => events(run, after).map((line) => ({...line, data: null}))}), 'value for value'],
  [
    'takes a run twice',
    ({createRun, plan}) => ({createRun: (run, ...more) => (plan(run) ? undefined : createRun(run, ...more))}),
    'replaces',
  ],
  ['does not tell fleets apart', ({runs}) => ({runs: () => runs()}), 'of one fleet'],
  ['gives a lease to all', () => ({lease: () => LEASE}), 'one at a time'],
  ['never gives a lease back', ({lease}) => ({lease: (...asked) => ({...lease(...asked), release: () => undefined})}), 'given back'],
  ['hides the holder', () => ({holder: () => null}), 'one at a time'],
  ['keeps the first value', ({recall, remember}) => ({remember: (key, value) => recall(key) ?? remember(key, value)}), 'the last value'],
  ['tells of all times', ({notes}) => ({notes: (topic, most) => notes(topic, most)}), 'from a time on'],
])('finds a state that %s', async (_, lie, failing) => {
  expect((await said(lie)).join('\n')).toContain(failing);
});
