import type {ActiveFault} from './faults.ts';

/** The faults that are active, each with a timer that ends it when its lease has run out. */
export class FaultLedger {
  readonly #entries = new Map<string, {fault: ActiveFault; timer: NodeJS.Timeout}>();
  readonly #onExpired: (fault: ActiveFault) => void;

  constructor(onExpired: (fault: ActiveFault) => void) {
    this.#onExpired = onExpired;
  }

  get all(): readonly ActiveFault[] {
    return [...this.#entries.values()].map(({fault}) => fault);
  }

  of(region: string): readonly ActiveFault[] {
    return this.all.filter((fault) => fault.region === region);
  }

  /** The same kind on the same paths replaces what was there, with a new lease. */
  add(fault: ActiveFault): void {
    const key = keyOf(fault);
    clearTimeout(this.#entries.get(key)?.timer);
    const timer = setTimeout(() => {
      this.#entries.delete(key);
      this.#onExpired(fault);
    }, fault.leaseMs);
    this.#entries.set(key, {fault, timer});
  }

  /** Takes one away, unless another like it has taken its place. */
  remove(fault: ActiveFault): void {
    const entry = this.#entries.get(keyOf(fault));
    if (entry?.fault !== fault) return;
    clearTimeout(entry.timer);
    this.#entries.delete(keyOf(fault));
  }

  /** Takes every fault of the region away. Answers what was there. */
  clear(region: string): readonly ActiveFault[] {
    const gone = this.of(region);
    for (const fault of gone) this.remove(fault);
    return gone;
  }

  close(): void {
    for (const {timer} of this.#entries.values()) clearTimeout(timer);
    this.#entries.clear();
  }
}

/** Faults with the same key replace each other. */
export const keyOf = ({region, kind, args}: ActiveFault) => `${region} ${kind} ${args.from ?? ''} ${args.direction ?? ''}`;
