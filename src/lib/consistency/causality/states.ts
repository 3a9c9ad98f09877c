import type {CrdtKind} from '../../fleet/fleet.ts';
import type {Crdt} from './crdt.ts';
import type {Parsed} from './exact-json.ts';
import {gCounter} from './g-counter.ts';
import {mvRegister} from './mv-register.ts';
import {orSet} from './or-set.ts';
import {pnCounter} from './pn-counter.ts';
import {type Order, orderOf} from './vector-clock.ts';

/** The value of a merged column as its JSON text; null = NULL, which is less than every state: nothing has been written there. */
export type StateText = string | null;

/** How the state `a` of a merged column stands to `b`, or why that cannot be said. */
export const compareStates = (kind: CrdtKind, a: StateText, b: StateText): Parsed<Order> => withType(kind, (crdt) => compare(crdt, a, b));

/**
 * What all states together are, as jsonb writes it: null when all are NULL. Not ok: one cannot be read, or two cannot be states of the same object.
 * Where all texts are the same they are kept as they are.
 */
export function mergeStates(kind: CrdtKind, texts: readonly StateText[]): Parsed<StateText> {
  return withType(kind, (crdt) => mergeAll(crdt, texts));
}

/* a is at most b when both together are b. */
function compare<State>(crdt: Crdt<State>, a: StateText, b: StateText): Parsed<Order> {
  const states = readAll(crdt, [a, b]);
  if (!states.ok) return states;
  const [one, other] = states.value;
  if (a === null || b === null || one === undefined || other === undefined) return {ok: true, value: orderOf(a === null, b === null)};
  const least = crdt.print(crdt.merge(one, other));
  return {ok: true, value: orderOf(least === crdt.print(other), least === crdt.print(one))};
}

function mergeAll<State>(crdt: Crdt<State>, texts: readonly StateText[]): Parsed<StateText> {
  const states = readAll(crdt, texts);
  if (!states.ok) return states;
  return {ok: true, value: states.value.length === 0 ? null : crdt.print(states.value.reduce(crdt.merge))};
}

/* The states that are no NULL; not ok = one cannot be read, or two clash. */
function readAll<State>(crdt: Crdt<State>, texts: readonly StateText[]): Parsed<readonly State[]> {
  const states: State[] = [];
  for (const text of texts) {
    if (text === null) continue;
    const state = crdt.parse(text);
    if (!state.ok) return state;
    const clash = states.map((other) => crdt.clash(other, state.value)).find((each) => each !== null);
    if (clash !== undefined && clash !== null) return {ok: false, reason: clash};
    states.push(state.value);
  }
  return {ok: true, value: states};
}

function withType<R>(kind: CrdtKind, use: <State>(crdt: Crdt<State>) => R): R {
  switch (kind) {
    case 'g-counter':
      return use(gCounter);
    case 'pn-counter':
      return use(pnCounter);
    case 'or-set':
      return use(orSet);
    case 'mv-register':
      return use(mvRegister);
  }
}
