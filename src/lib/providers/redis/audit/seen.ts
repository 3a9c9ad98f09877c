import type {Hash64} from './hash.ts';

/** Most keys that are told apart at once: 64 MB. */
export const MOST_SEEN = 6 * 2 ** 20;

/**
 * Which hashes were there before: 8 bytes each, half to three quarters of the places in use. Two keys with one hash of 64 bits would be taken for one; that
 * the second of them is the one that differs has odds of 1 in 2^64 for each other key.
 */
export class Seen {
  #slots: Uint32Array;
  #mask: number;
  #size = 0;

  /** `expected` = how many there may be; more make it grow. */
  constructor(expected: number) {
    const places = 2 ** Math.ceil(Math.log2(Math.max(64, Math.min(expected, MOST_SEEN)) * 1.4));
    this.#slots = new Uint32Array(places * 2);
    this.#mask = places - 1;
  }

  get size(): number {
    return this.#size;
  }

  /** true = it was not there before. */
  add({high, low}: Hash64): boolean {
    if (this.#size > this.#mask * 0.75) this.#grow();
    if (!this.#put(high, low === 0 && high === 0 ? 1 : low)) return false;
    this.#size++;
    return true;
  }

  #put(high: number, low: number): boolean {
    const slots = this.#slots;
    for (let place = low & this.#mask; ; place = (place + 1) & this.#mask) {
      const [first, second] = [slots[place * 2] ?? 0, slots[place * 2 + 1] ?? 0];
      if (first === high && second === low) return false;
      if (first === 0 && second === 0) {
        slots[place * 2] = high;
        slots[place * 2 + 1] = low;
        return true;
      }
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#mask = (this.#mask + 1) * 2 - 1;
    this.#slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 2) {
      const [high, low] = [old[at] ?? 0, old[at + 1] ?? 0];
      if (high !== 0 || low !== 0) this.#put(high, low);
    }
  }
}
