import {refused} from '../lib/errors.ts';
import {LAB_FAULT_KINDS, type LabFaultKind} from '../lib/providers/lab/lab-fault-kinds.ts';
import {FRONT_DOOR} from '../lib/providers/lab/lab-fault-order.ts';
import {findFaketime} from './clock-skew.ts';
import {FaultLedger} from './fault-ledger.ts';
import {type ActiveFault, conditionOf, doorStateOf, type EndedFault} from './faults.ts';
import type {FrontDoor} from './front-door.ts';
import {Mending} from './mending.ts';
import type {RegionMachine} from './region-machine.ts';
import type {RegionPaths} from './region-paths.ts';
import type {Parts} from './region-processes.ts';
import {whyNoWriteLimit} from './write-limit.ts';

/** What faults can touch. Paths and door are there once the lab has come up. */
export type Breakable = {
  readonly machines: ReadonlyMap<string, RegionMachine>;
  readonly paths: () => RegionPaths | null;
  readonly door: () => FrontDoor | null;
};

/** Every kind with what it does, and why some cannot be had here. */
export type FaultKinds = {readonly kinds: Readonly<Record<string, string>>; readonly unavailable: Readonly<Record<string, string>>};

const BOTH: Parts = {database: true, service: true};
const NEITHER: Parts = {database: false, service: false};

/** What each kind ends, and what has to be started when it is over. A kind that is not here leaves the processes alone. */
const ENDS: Partial<Record<LabFaultKind, Parts>> = {
  lose: BOTH,
  kill: BOTH,
  database: {database: true, service: false},
  service: {database: false, service: true},
};
const STARTS: Partial<Record<LabFaultKind, Parts>> = {
  ...ENDS,
  freeze: BOTH,
  'disk-full': {database: true, service: false},
  errors: NEITHER,
  skew: NEITHER,
};

/** So many ends are remembered. */
const ENDS_KEPT = 100;

/** Injects faults and ends them, when it is told to or when their lease has run out. */
export class FaultDesk {
  readonly #lab: Breakable;
  readonly #ledger = new FaultLedger((fault) => this.#expire(fault));
  readonly #mending = new Mending();
  readonly #ended: EndedFault[] = [];

  constructor(lab: Breakable) {
    this.#lab = lab;
  }

  /** Those that act, and those that do not any more, but whose region could not be started again yet. */
  get all(): readonly ActiveFault[] {
    return [...this.#ledger.all, ...this.#mending.all];
  }

  /** The last faults that have ended, in the order in which they did. */
  get ended(): readonly EndedFault[] {
    return this.#ended;
  }

  /** Ends no fault; their timers only. */
  close(): void {
    this.#ledger.close();
    this.#mending.close();
  }

  async kinds(): Promise<FaultKinds> {
    const [diskFull, faketime] = await Promise.all([whyNoWriteLimit(), findFaketime()]);
    const unavailable = {
      ...(diskFull === null ? {} : {'disk-full': diskFull}),
      ...(typeof faketime === 'string' ? {skew: faketime} : {}),
    };
    return {kinds: LAB_FAULT_KINDS, unavailable};
  }

  /**
   * Paths first: a region that is lost must not be heard to break off. Throws RegionctlError when it cannot be had, and leaves nothing; what could not be taken
   * back at once stays listed until it is.
   */
  async inject(fault: ActiveFault): Promise<void> {
    await this.#prepare(fault);
    this.#mending.replace(fault);
    this.#ledger.add(fault);
    this.#apply();
    try {
      await this.#hurt(fault);
    } catch (error) {
      this.#ledger.remove(fault);
      this.#mending.add(fault);
      this.#apply();
      await this.#mendAfter(fault).then(
        () => this.#mending.take([fault]),
        (trouble: unknown) => this.#mendLater([fault], 'heal', trouble),
      );
      throw error;
    }
  }

  /** Ends every fault of the region, or of the front door, and starts what does not run. Throws when that fails; what had been faulty is tried again, then. */
  async heal(region: string): Promise<void> {
    this.#mending.add(...this.#ledger.clear(region));
    const gone = this.#mending.of(region);
    this.#apply();
    const wasFull = gone.some(({kind}) => kind === 'disk-full');
    try {
      await this.#mend(region, BOTH, wasFull);
    } catch (error) {
      this.#mendLater(gone, 'heal', error);
      throw error;
    }
    this.#note(this.#mending.take(gone), 'heal');
  }

  #note(gone: readonly ActiveFault[], by: EndedFault['by']): void {
    const endedAt = new Date().toISOString();
    this.#ended.push(...gone.map(({region, kind, injectedAt}) => ({region, kind, injectedAt, endedAt, by})));
    this.#ended.splice(0, this.#ended.length - ENDS_KEPT);
  }

  /** A lease has run out. Only what this fault did is undone: what was killed from outside stays dead. */
  #expire(fault: ActiveFault): void {
    this.#apply();
    // Nobody counts on it any more while its region starts. One that does not start is as good as faulty.
    this.#mendAfter(fault).then(
      () => this.#note([fault], 'lease'),
      (error: unknown) => {
        this.#mending.add(fault);
        this.#mendLater([fault], 'lease', error);
      },
    );
  }

  #mendLater(faults: readonly ActiveFault[], by: EndedFault['by'], error: unknown): void {
    for (const fault of faults)
      void this.#mending.repeat(fault, error, {mend: () => this.#mendAfter(fault), mended: () => this.#note([fault], by)});
  }

  async #mendAfter({region, kind}: ActiveFault): Promise<void> {
    const starts = STARTS[kind];
    if (starts !== undefined || region === FRONT_DOOR) await this.#mend(region, starts ?? NEITHER, kind === 'disk-full');
  }

  #apply(): void {
    const acting = this.#ledger.all;
    this.#lab.paths()?.apply(acting);
    for (const [name, machine] of this.#lab.machines) machine.condition = conditionOf(name, acting);
  }

  async #prepare({region, kind}: ActiveFault): Promise<void> {
    if (kind === 'disk-full') {
      const why = await whyNoWriteLimit();
      if (why !== null) throw refused('fault-unavailable', why);
    }
    if (kind !== 'skew') return;
    const faketime = await findFaketime();
    if (typeof faketime === 'string') throw refused('fault-unavailable', faketime);
    const machine = this.#lab.machines.get(region);
    if (machine !== undefined) machine.faketime = faketime;
  }

  async #hurt({region, kind}: ActiveFault): Promise<void> {
    if (region === FRONT_DOOR) return this.#lab.door()?.become(doorStateOf(this.#ledger.all));
    const machine = this.#lab.machines.get(region);
    const ends = ENDS[kind];
    if (ends !== undefined) await machine?.kill(ends);
    if (kind === 'freeze') await machine?.freeze();
    if (kind === 'errors') await machine?.settleErrors();
    if (kind === 'disk-full') await machine?.settleWrites();
    if (kind !== 'skew' || machine === undefined) return;
    await machine.settleClock();
    await this.#overtaken(machine, BOTH);
  }

  async #mend(region: string, starts: Parts, wasFull: boolean): Promise<void> {
    if (region === FRONT_DOOR) return this.#lab.door()?.become(doorStateOf(this.#ledger.all));
    const machine = this.#lab.machines.get(region);
    if (machine === undefined || machine.condition.frozen) return;
    machine.thaw();
    await machine.settleWrites();
    await machine.settleErrors();
    await machine.settleClock();
    if (wasFull) await machine.settled();
    await machine.start(starts);
    await this.#overtaken(machine, starts);
  }

  /** A new fault may have come while something was starting. */
  async #overtaken(machine: RegionMachine, started: Parts): Promise<void> {
    const {dead, frozen} = machine.condition;
    const again = {database: started.database && dead.database, service: started.service && dead.service};
    if (again.database || again.service) await machine.kill(again);
    if (frozen) await machine.freeze();
  }
}
