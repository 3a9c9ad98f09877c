import {beforeEach, describe, expect, it} from 'vitest';
import {endDrill} from '../../src/kit/drill-end.ts';
import type {BesideRow} from '../../src/lib/drill/report.ts';
import {type ConductOptions, conductHeld} from '../../src/lib/operate/conduct.ts';
import {showDrill} from '../../src/lib/operate/drill-history.ts';
import {keepDrillRecord} from '../../src/lib/operate/drill-record.ts';
import type {Plan} from '../../src/lib/plan/plan.ts';
import type {State} from '../../src/lib/ports/state.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {fleet} from '../drill/plans.ts';
import {fakeClock} from '../run/fake-clock.ts';
import {freeLease, memoryState} from '../run/memory-state.ts';
import {memoryWorld, planOf, simulated, step} from '../run/world.ts';
import {tempDir} from '../state/temp-dir.ts';

const clock = fakeClock();
const drillSpec = {name: 'd', description: '', scenario: null, expected: null, loadObjectives: [], region: null};
const drill: Plan = {
  ...planOf([step('a')]),
  ...{id: 'drill-1', kind: 'drill', drill: 'd', drillSpec: {...drillSpec, rollback: 'failback'}},
};
const row: BesideRow = {
  ...{when: 'after', kind: 'failback', runId: 'failback-1', outcome: 'succeeded', says: 'succeeded'},
  ...{startedAt: null, endedAt: null},
};

let state: State;
let open: OpenFleet;
beforeEach(() => {
  state = memoryState(clock);
  open = {fleet: {...fleet, notifiers: []}, clock, stateDir: tempDir(), state: async () => state} as unknown as OpenFleet;
});

const never = new AbortController().signal;
const options: ConductOptions = {interrupt: never, leave: never};
const carriedOut = () => {
  const world = {...simulated(memoryWorld()), rowsElsewhere: new Map(), witness: () => null};
  return conductHeld(open, world, drill, {...options, lease: freeLease(), marks: []});
};
const shown = async () => {
  const {verdictCode, verdictReason} = await showDrill(open, 'drill-1');
  return [verdictCode, verdictReason];
};

describe('the way back after a drill', () => {
  it('is on record as begun before the notifiers are waited for, and as it ended in the report', async () => {
    const told = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const deliver = () => {
      asked.resolve();
      return told.promise;
    };
    const notifiers = [{name: 'hook', on: ['result'], timeoutMs: 60_000}];
    open = {...open, fleet: {...open.fleet, notifiers}, notifiers: {hook: {deliver}}} as unknown as OpenFleet;
    keepDrillRecord(state, 'drill-1', {beside: [{...row, when: 'before', kind: 'switchover'}], evidence: []});
    const conducting = carriedOut();
    await asked.promise;
    await new Promise((resolve) => setImmediate(resolve));
    expect(await shown()).toEqual([
      'not-rolled-back',
      'the failback after the drill did not succeed: it was begun, and how it ended is not on record',
    ]);
    told.resolve();
    const document = await endDrill(open, await conducting, {beside: async () => row, signal: never});
    expect(document.beside.map(({when, outcome}) => [when, outcome])).toEqual([
      ['before', 'succeeded'],
      ['after', 'succeeded'],
    ]);
    expect(document.verdictCode).toBe('not-measured');
  });

  it('that is not on record at all was not begun', async () => {
    await carriedOut();
    state.remember('drill-record:drill-1', null);
    expect(await shown()).toEqual(['not-rolled-back', 'the failback after the drill is not on record: it was not begun']);
  });
});
