import type {Parsed} from './exact-json.ts';

/**
 * A hybrid logical clock: ms since 1970 times 65536, plus a counter, in one 64-bit integer. Whoever has seen another's clock gets a greater one, and
 * none is further ahead of physical time than the fastest physical clock that was seen.
 *
 * Source: S. Kulkarni, M. Demirbas, D. Madappa, B. Avva, M. Leone, Logical Physical Clocks and Consistent Snapshots in Globally Distributed Databases,
 * OPODIS 2014; figure 5 is the algorithm, section 6.2 the 48 and 16 bits. On pairs (l, c) in one integer its cases are a maximum: a counter that
 * runs over moves into the next ms, which keeps the order.
 */
export type Hlc = bigint;

const COUNTER_BITS = 16n;
const GREATEST = 2n ** 63n - 1n;

/** The clock of a physical time in whole ms since 1970, with its counter (0-65535; default 0). */
export const hlcAt = (ms: number, counter = 0): Hlc => (BigInt(ms) << COUNTER_BITS) + BigInt(counter);

/** The physical part in ms since 1970, and the counter. */
export const hlcParts = (hlc: Hlc): {readonly ms: number; readonly counter: number} => ({
  ms: Number(hlc >> COUNTER_BITS),
  counter: Number(hlc & 0xffffn),
});

/** The clock of a local write or of a message that is sent, at the physical time `wallMs`. */
export const sendHlc = (last: Hlc, wallMs: number): Hlc => greater(hlcAt(wallMs), last + 1n);

/** The clock of receiving something that carries `remote`. */
export const receiveHlc = (last: Hlc, remote: Hlc, wallMs: number): Hlc => greater(sendHlc(last, wallMs), remote + 1n);

/** Less than 0 = `a` is the older. Of two equal ones neither saw the other. */
export const compareHlc = (a: Hlc, b: Hlc): number => (a === b ? 0 : a < b ? -1 : 1);

/** By how many ms the physical part is ahead of `wallMs`; less than 0 = behind. Far ahead: somebody's clock was wrong. */
export const hlcDriftMs = (hlc: Hlc, wallMs: number): number => hlcParts(hlc).ms - wallMs;

/** Reads the text of a bigint column; 0 to 2^63-1. */
export function parseHlc(text: string): Parsed<Hlc> {
  const value = /^\d{1,19}$/.test(text) ? BigInt(text) : -1n;
  return value >= 0n && value <= GREATEST ? {ok: true, value} : {ok: false, reason: 'it is not an integer from 0 to 2^63-1'};
}

const greater = (a: bigint, b: bigint): bigint => (a > b ? a : b);
