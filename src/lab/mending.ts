import {messageOf} from '../lib/errors.ts';
import {keyOf} from './fault-ledger.ts';
import type {ActiveFault} from './faults.ts';

/* The pauses between two attempts. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

/** The faults that act no more, but whose region does not run again yet. Each is mended again and again until it does, or the lab goes down. */
export class Mending {
  readonly #faults = new Set<ActiveFault>();
  readonly #repeated = new Set<ActiveFault>();

  get all(): readonly ActiveFault[] {
    return [...this.#faults];
  }

  of(region: string): readonly ActiveFault[] {
    return this.all.filter((fault) => fault.region === region);
  }

  add(...faults: readonly ActiveFault[]): void {
    for (const fault of faults) this.#faults.add(fault);
  }

  /** Takes those away that are still there, as when they are mended, and answers with them. */
  take(faults: readonly ActiveFault[]): readonly ActiveFault[] {
    return faults.filter((fault) => this.#faults.delete(fault));
  }

  /** Another like it begins, with an end of its own. */
  replace(fault: ActiveFault): void {
    this.take(this.all.filter((each) => keyOf(each) === keyOf(fault)));
  }

  /** After an attempt that failed with `error`: mends with pauses, as long as the fault is there, and tells when that was done. Never throws. */
  async repeat(fault: ActiveFault, error: unknown, {mend, mended}: {mend(): Promise<void>; mended(): void}): Promise<void> {
    process.stderr.write(`healing ${fault.region}: ${messageOf(error)}\n`);
    if (this.#repeated.has(fault)) return;
    this.#repeated.add(fault);
    for (let pauseMs = FIRST_PAUSE_MS; await this.#isLeftAfter(fault, pauseMs); pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        await mend();
        if (this.take([fault]).length > 0) mended();
      } catch (again) {
        process.stderr.write(`healing ${fault.region}: ${messageOf(again)}\n`);
      }
    }
    this.#repeated.delete(fault);
  }

  /** Mends nothing any more. */
  close(): void {
    this.#faults.clear();
  }

  async #isLeftAfter(fault: ActiveFault, pauseMs: number): Promise<boolean> {
    if (!this.#faults.has(fault)) return false;
    // A lab that goes down does not wait for it.
    await new Promise((resolve) => setTimeout(resolve, pauseMs).unref());
    return this.#faults.has(fault);
  }
}
