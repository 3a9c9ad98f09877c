import type {Parsed} from './exact-json.ts';

/**
 * A type whose states can be merged in any order, any number of times: `merge` is the least upper bound of a lattice with `empty` at its bottom
 * (commutative, associative, idempotent, and never less than either).
 *
 * Source: M. Shapiro, N. Preguiça, C. Baquero, M. Zawirski, Conflict-free Replicated Data Types, SSS 2011 (INRIA RR-7687): such states converge.
 */
export type Crdt<State> = {
  readonly empty: State;
  readonly merge: (a: State, b: State) => State;
  /** Why the two cannot be states of the same object (one write with two contents: damage); null = they can. The laws hold without a clash. */
  readonly clash: (a: State, b: State) => string | null;
  /** Reads the JSON of a column; never throws. */
  readonly parse: (text: string) => Parsed<State>;
  /** The JSON of a column, as jsonb writes it; the same for states that mean the same. */
  readonly print: (state: State) => string;
};
