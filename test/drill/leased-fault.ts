import {type FaultCare, injectWithCare, settle} from '../../src/lib/drill/fault-care.ts';
import {faultLedger} from '../../src/lib/drill/fault-ledger.ts';
import {reap} from '../../src/lib/drill/reaper.ts';
import type {Fault} from '../../src/lib/ports/fault.ts';
import {systemClock} from '../../src/lib/run/system-clock.ts';
import {known} from '../../src/lib/snapshot/cell.ts';

const clock = systemClock();

/** Care whose reapers live in this process. Nobody looks from outside: what a test sees itself is the proof. */
export function careHere(port: Fault, stateDir: string): FaultCare {
  const ledger = faultLedger(stateDir);
  const outside: FaultCare['outside'] = async () => known({answering: [], silent: [], refused: [], stopped: [], untold: []}, 0, 'test');
  return {
    ledger,
    fleet: {name: 'lab', file: '/fleet.yaml'},
    injector: 'test',
    outside,
    journaled: async () => null,
    async startReaper(file) {
      const entry = ledger.read(file.slice(file.lastIndexOf('/') + 1, -'.json'.length));
      if (entry === null) throw new Error(`no entry ${file}`);
      const told = new AbortController().signal;
      void reap({port, outside, entry, ledger, clock: {...clock, awake: clock.now}, told, log: () => undefined});
    },
  };
}

/** An injector that needs a reaper, with one: as a drill has it. */
export function leasedFault(port: Fault, stateDir: string): Fault {
  const care = careHere(port, stateDir);
  return {
    kinds: port.kinds,
    ...(port.accepts === undefined ? {} : {accepts: port.accepts}),
    inject: async (ctx, order) => (await injectWithCare(care, port, clock, ctx, order)).detail,
    async heal(ctx, region, kind) {
      await port.heal(ctx, region, kind);
      const active = await port.active(region, ctx.signal);
      if (active.known && active.value.length === 0) await settle(care, region);
    },
    active: port.active,
  };
}
