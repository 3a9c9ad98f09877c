import {messageOf, refused} from '../lib/errors.ts';
import {LAB_FAULT_KINDS, type LabFaultKind} from '../lib/providers/lab/lab-fault-kinds.ts';
import {findFaketime} from './clock-skew.ts';
import {FaultLedger} from './fault-ledger.ts';
import {type ActiveFault, conditionOf, doorStateOf, type EndedFault, FRONT_DOOR} from './faults.ts';
import type {FrontDoor} from './front-door.ts';
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
  readonly #ended: EndedFault[] = [];

  constructor(lab: Breakable) {
    this.#lab = lab;
  }

  get all(): readonly ActiveFault[] {
    return this.#ledger.all;
  }

  /** The last faults that have ended, in the order in which they did. */
  get ended(): readonly EndedFault[] {
    return this.#ended;
  }

  /** Ends no fault; their timers only. */
  close(): void {
    this.#ledger.close();
  }

  async kinds(): Promise<FaultKinds> {
    const [diskFull, faketime] = await Promise.all([whyNoWriteLimit(), findFaketime()]);
    const unavailable = {
      ...(diskFull === null ? {} : {'disk-full': diskFull}),
      ...(typeof faketime === 'string' ? {skew: faketime} : {}),
    };
    return {kinds: LAB_FAULT_KINDS, unavailable};
  }

  /** Paths first: a region that is lost must not be heard to break off. Throws RegionctlError and leaves nothing when it cannot be had. */
  async inject(fault: ActiveFault): Promise<void> {
    await this.#prepare(fault);
    this.#ledger.add(fault);
    this.#apply();
    try {
      await this.#hurt(fault);
    } catch (error) {
      this.#ledger.remove(fault);
      this.#apply();
      await this.#mend(fault.region, STARTS[fault.kind] ?? NEITHER, fault.kind === 'disk-full').catch(() => undefined);
      throw error;
    }
  }

  /** Ends every fault of the region, or of the front door, and starts what does not run. */
  async heal(region: string): Promise<void> {
    const gone = this.#ledger.clear(region);
    this.#apply();
    await this.#mend(
      region,
      BOTH,
      gone.some(({kind}) => kind === 'disk-full'),
    );
    this.#note(gone, 'heal');
  }

  #note(gone: readonly ActiveFault[], by: EndedFault['by']): void {
    const endedAt = new Date().toISOString();
    this.#ended.push(...gone.map(({region, kind, injectedAt}) => ({region, kind, injectedAt, endedAt, by})));
    this.#ended.splice(0, this.#ended.length - ENDS_KEPT);
  }

  /** A lease has run out. Only what this fault did is undone: what was killed from outside stays dead. */
  #expire(fault: ActiveFault): void {
    const {region, kind} = fault;
    this.#apply();
    const starts = STARTS[kind];
    const mended =
      starts === undefined && region !== FRONT_DOOR ? Promise.resolve() : this.#mend(region, starts ?? NEITHER, kind === 'disk-full');
    mended.then(
      () => this.#note([fault], 'lease'),
      (error: unknown) => process.stderr.write(`healing ${region}: ${messageOf(error)}\n`),
    );
  }

  #apply(): void {
    this.#lab.paths()?.apply(this.all);
    for (const [name, machine] of this.#lab.machines) machine.condition = conditionOf(name, this.all);
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
    if (region === FRONT_DOOR) return this.#lab.door()?.become(doorStateOf(this.all));
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
    if (region === FRONT_DOOR) return this.#lab.door()?.become(doorStateOf(this.all));
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
