import {describe, expect, it} from 'vitest';
import {faultActions} from '../../src/lib/drill/fault-actions.ts';
import {isStillComing} from '../../src/lib/drill/fault-coming.ts';
import {faultLedger} from '../../src/lib/drill/fault-ledger.ts';
import type {Fault} from '../../src/lib/ports/fault.ts';
import {processRow} from '../../src/lib/processes.ts';
import {known} from '../../src/lib/snapshot/cell.ts';
import {fakeClock} from '../run/fake-clock.ts';
import {tempDir} from '../state/temp-dir.ts';
import {entryWith, seen} from './faults.ts';

const DEAD = {pid: 2 ** 22 - 1, start: '1'};
const OWN = {pid: process.pid, start: processRow(process.pid)?.start ?? ''};
const LANDS_AT = 18_000;

/** A record of an injection that was cut short and may come for 20 s; unless it never does, it comes after 18. */
function world({by = DEAD, lands = true}: {by?: typeof DEAD; lands?: boolean} = {}) {
  const clock = fakeClock();
  const state = {landed: !lands, active: [] as string[], healedAt: [] as number[]};
  const ledger = faultLedger(tempDir());
  ledger.write(entryWith({injected: false, lateMs: 20_000, since: clock.wall(), by}));
  const port: Fault = {
    kinds: ['freeze'],
    inject: async () => null,
    heal: async () => {
      if (state.active.length > 0) state.healedAt.push(clock.now());
      state.active = [];
    },
    active: async () => {
      if (!state.landed && clock.now() >= LANDS_AT) Object.assign(state, {landed: true, active: ['freeze']});
      return known(state.active, 0, 'test');
    },
  };
  const care = {
    ...{ledger, fleet: {name: 'lab', file: '/fleet.yaml'}, injector: 'test'},
    outside: async () => seen({answering: ['app']}),
    journaled: async () => null,
    startReaper: async () => undefined,
  };
  const [, heal] = faultActions({faults: port, clock, care});
  const signal = new AbortController().signal;
  const within = (ms: number) =>
    heal.apply({runId: 'drill-1', token: 't', signal, now: clock.now, deadline: clock.now() + ms}, {region: 'east'}, {});
  return {clock, state, heal: within, records: () => ledger.list('lab').entries.length};
}

describe('a heal after its injector was killed', () => {
  it('waits until the injection cannot come any more, and heals what came meanwhile, before the record goes', async () => {
    const {clock, state, heal, records} = world();
    expect(await heal(40_000)).toMatchObject({provenHealed: true});
    expect([state.landed, state.active, records()]).toEqual([true, [], 0]);
    expect(clock.now()).toBeGreaterThanOrEqual(20_000);
    expect(clock.now()).toBeLessThan(25_000);
  });

  it('is not proven, and leaves the record and its reaper, when it may not wait for that long', async () => {
    const {heal, records} = world();
    await expect(heal(10_000)).rejects.toMatchObject({
      code: 'not-healed',
      message: expect.stringContaining('app answers; its injection was cut short and may go on by itself until 2027-01-15T08:00:20.000Z'),
    });
    expect(records()).toBe(1);
  });

  it('does not wait for an injection of its own process, which has ended', async () => {
    const {clock, heal, records} = world({by: OWN, lands: false});
    await heal(40_000);
    expect([clock.now(), records()]).toEqual([0, 0]);
  });
});

describe('an injection', () => {
  it('is on its way as long as its injector runs, or has been dead for less than it may go on', () => {
    const entry = entryWith({injected: false, lateMs: 5000, since: 1000, by: DEAD});
    expect([1000, 5999, 6000].map((wall) => isStillComing(entry, wall))).toEqual([true, true, false]);
    expect(isStillComing({...entry, by: OWN}, 1e9)).toBe(true);
    expect(isStillComing({...entry, by: OWN, injected: true}, 1000)).toBe(false);
  });
});
