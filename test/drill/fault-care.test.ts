import {spawn} from 'node:child_process';
import {describe, expect, it} from 'vitest';
import {faultActions} from '../../src/lib/drill/fault-actions.ts';
import {type FaultCare, retire, settled} from '../../src/lib/drill/fault-care.ts';
import {type FaultEntry, faultLedger} from '../../src/lib/drill/fault-ledger.ts';
import {stateError, unavailable, usageError} from '../../src/lib/errors.ts';
import type {Fault} from '../../src/lib/ports/fault.ts';
import {isRunning, processRow} from '../../src/lib/processes.ts';
import {systemClock} from '../../src/lib/run/system-clock.ts';
import {known} from '../../src/lib/snapshot/cell.ts';
import {tempDir} from '../state/temp-dir.ts';
import {entryWith, seen} from './faults.ts';

const clock = systemClock();
const own = {pid: process.pid, start: processRow(process.pid)?.start ?? ''};

/** An injector whose faults need a reaper, and what happened in which order. */
function world(more: Partial<Fault> = {}, care: Partial<FaultCare> = {}) {
  const done: string[] = [];
  const state = {active: [] as string[]};
  const ledger = faultLedger(tempDir());
  const records = () => ledger.list('lab').entries;
  const port: Fault = {
    kinds: ['freeze'],
    needsReaper: true,
    async inject() {
      done.push(`inject with ${records().map(({injected}) => (injected ? 'done' : 'begun'))}`);
      state.active = ['freeze'];
      return {pids: [7]};
    },
    async heal() {
      done.push('heal');
      state.active = [];
    },
    active: async () => known(state.active, 0, 'test'),
    ...more,
  };
  const full: FaultCare = {
    ...{ledger, fleet: {name: 'lab', file: '/fleet.yaml'}, injector: 'test'},
    outside: async () => (state.active.length === 0 ? seen({answering: ['app'], silent: ['old']}) : seen({silent: ['app', 'old']})),
    journaled: async () => null,
    startReaper: async () => void done.push(`reaper armed with ${records().length}`),
    ...care,
  };
  const [inject, heal] = faultActions({faults: port, clock, care: full});
  const ctx = (ms = 2000) => ({runId: 'drill-1', token: 't', signal: AbortSignal.timeout(ms), now: clock.now, deadline: clock.now() + ms});
  return {
    ...{done, state, ledger, records},
    inject: (leaseMs = 60_000) => inject.apply(ctx(), {region: 'east'}, {kind: 'freeze', args: {}, leaseMs, beside: []}),
    heal: (ms?: number) => heal.apply(ctx(ms), {region: 'east'}, {}),
  };
}

describe('a heal', () => {
  it('says what it found, and ends the reaper of a record that cannot be removed', async () => {
    const reaper = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const mark = {pid: reaper.pid ?? 0, start: processRow(reaper.pid ?? 0)?.start ?? ''};
    const {inject, heal, ledger, records} = world();
    await inject();
    ledger.write({...(records()[0] as FaultEntry), reaper: mark});
    const readOnly = {
      ...ledger,
      remove: (id: string) => {
        throw stateError('state-unwritable', `State cannot be written to ${ledger.fileOf(id)}`);
      },
    };
    await expect(retire({ledger: readOnly}, records())).rejects.toMatchObject({exit: 73});
    expect(isRunning(mark)).toBe(false);
    expect(await settled({ledger: readOnly}, records())).toContain('its record could not be removed: State cannot be written to');
    expect(await heal()).toMatchObject({found: ['freeze'], ended: [], provenHealed: true});
    expect(await heal()).toMatchObject({found: [], ended: []});
  });

  it('tells what its injector wrote down of ends there, and knows what answered before although nothing can be read', async () => {
    const at = Date.parse('2026-01-01T00:00:00Z');
    const blind = {journaled: async () => Promise.reject(new Error('the disk is gone'))};
    const {inject, heal, state, ledger} = world({ended: async () => known([{kind: 'freeze', at, by: 'lease'}], 0, 'test')}, blind);
    await inject();
    for (const {id} of ledger.list('lab').entries) ledger.remove(id);
    state.active = [];
    expect(await heal()).toMatchObject({
      ...{found: [], ended: [{kind: 'freeze', at: '2026-01-01T00:00:00.000Z', by: 'lease'}]},
      proof: 'no fault is active on east, and app answers',
    });
  });
});

describe('an injection', () => {
  it('comes after its record and its reaper, and is confirmed in the record', async () => {
    const {inject, done, records} = world();
    expect(await inject()).toMatchObject({detail: {pids: [7]}, leaseMs: 60_000, before: {answering: ['app'], silent: ['old']}});
    expect(done).toEqual(['reaper armed with 1', 'inject with begun']);
    expect(records()).toMatchObject([{runId: 'drill-1', kind: 'freeze', region: 'east', injector: 'test', injected: true, by: own}]);
  });

  it('has a record with any injector, also with one that keeps the lease itself', async () => {
    const {inject, done, records} = world({needsReaper: undefined as never});
    await inject();
    expect([done, records().length]).toEqual([['inject with begun'], 1]);
  });

  it('is not begun when the reaper cannot be armed, and leaves no record', async () => {
    const {inject, done, records} = world({}, {startReaper: async () => Promise.reject(unavailable('reaper-failed', 'no memory'))});
    await expect(inject()).rejects.toMatchObject({code: 'reaper-failed'});
    expect([done, records()]).toEqual([[], []]);
  });

  it('is not begun when its record cannot be written, or its reaper has no log, and says so by a code of its own', async () => {
    const full = () => {
      throw stateError('state-unwritable', 'State cannot be written to /state/faults/x.json: EACCES.');
    };
    const noLog = async () => full();
    const ledger = faultLedger(tempDir());
    for (const care of [{ledger: {...ledger, write: full, remove: full}}, {ledger: {...ledger, list: full}}, {startReaper: noLog}]) {
      const {inject, done, records} = world({}, care);
      await expect(inject()).rejects.toMatchObject({
        ...{code: 'fault-unrecorded', exit: 73},
        message: 'no fault was injected: its record cannot be kept: State cannot be written to /state/faults/x.json: EACCES.',
      });
      expect([done, care.ledger === undefined ? records() : ledger.list('lab').entries]).toEqual([[], []]);
    }
  });

  it('leaves no record when it is refused, and keeps it when it fails', async () => {
    const refused = world({inject: async () => Promise.reject(usageError('no such device'))});
    await expect(refused.inject()).rejects.toThrow('no such device');
    expect(refused.records()).toEqual([]);
    const failed = world({inject: async () => Promise.reject(unavailable('fault-failed', 'lost the connection'))});
    await expect(failed.inject()).rejects.toThrow('lost the connection');
    expect(failed.records()).toMatchObject([{injected: false}]);
    await failed.heal();
    expect(failed.records()).toEqual([]);
  });

  it('is cut short when its lease ends meanwhile', async () => {
    const {inject} = world({
      inject: ({signal}) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    });
    await expect(inject(30)).rejects.toMatchObject({code: 'lease-over'});
  });

  it('is healed at once when its record is gone by then', async () => {
    const one = world({
      inject: async () => {
        for (const {id} of one.records()) one.ledger.remove(id);
        one.state.active = ['freeze'];
        return null;
      },
    });
    await expect(one.inject()).rejects.toMatchObject({code: 'lease-over'});
    expect([one.done.at(-1), one.state.active]).toEqual(['heal', []]);
  });

  it('takes the place of an earlier one, whose look at the time before still counts', async () => {
    const {inject, ledger, records} = world({}, {outside: async () => seen({silent: ['app']})});
    ledger.write(entryWith({id: 'first', before: {answering: ['app'], silent: []}}));
    ledger.write(entryWith({id: 'other', kind: 'cut', since: 1}));
    expect(await inject()).toMatchObject({before: {answering: ['app']}});
    expect(records().map(({kind}) => kind)).toEqual(['cut', 'freeze']);
    expect(records().some(({id}) => id === 'first')).toBe(false);
  });
});

describe('a heal', () => {
  it('takes the record away when the end is proven, and says what was seen', async () => {
    const {inject, heal, records} = world();
    await inject();
    expect(await heal()).toMatchObject({provenHealed: true, proof: 'no fault is active on east, and app answers'});
    expect(records()).toEqual([]);
  });

  it('is not proven by the word of the injector alone, and the record stays', async () => {
    let looks = 0;
    const outside = async () => (looks++ === 0 ? seen({answering: ['app']}) : seen({silent: ['app']}));
    const {inject, heal, records, state} = world({}, {outside});
    await inject();
    await expect(heal(600)).rejects.toMatchObject({
      code: 'not-healed',
      message: expect.stringContaining('no fault is active on east, and app does not answer'),
    });
    expect([records().length, state.active]).toEqual([1, []]);
  });

  it('is not proven by silence where nothing could be asked before the fault, as when our own uplink failed then', async () => {
    let looks = 0;
    const outside = async () => (looks++ === 0 ? seen({untold: ['app', 'db']}) : seen({silent: ['app', 'db'], refused: ['app', 'db']}));
    const {inject, heal, records} = world({}, {outside});
    expect(await inject()).toMatchObject({before: null});
    await expect(heal(300)).rejects.toMatchObject({message: expect.stringContaining('nothing answers there')});
    expect(records()).toMatchObject([{before: null}]);
  });

  it('goes by the journal when the reaper has proven the end and taken the record away', async () => {
    const outside = async () => seen({silent: ['app', 'db'], refused: ['app', 'db']});
    const {heal} = world({}, {outside, journaled: async () => ({answering: [], silent: ['app', 'db']})});
    expect(await heal()).toMatchObject({provenHealed: true});
    await expect(world({}, {outside}).heal(600)).rejects.toMatchObject({message: expect.stringContaining('nothing answers there')});
  });
});
