import type {Expectation, Gate, Step} from '../plan/plan.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import {asked} from './gates.ts';
import {call, expect, type StoreScope, step, verify} from './steps.ts';

/** A move of a store's primary. `planned` = the present one is well and hands over. */
export type Handover = {
  readonly from: string;
  readonly to: string;
  readonly region: string;
  readonly epoch: number;
  readonly planned: boolean;
};

/** The program that moves a store's primary itself; null = nobody: it is done by hand. */
export function managerOf(snapshot: Snapshot, store: string): string | null {
  return snapshot.stores[store]?.manager ?? null;
}

/** What the manager must not object to. */
export function managerFit(store: string, manager: string, {from, to, planned}: Handover): Gate {
  const asks = [expect('store.fit', {store, member: to}, {from, planned})];
  return asked(`manager:${store}`, false, asks, `${manager} can move ${store} to ${to}`);
}

/** The one step that asks the manager to move the primary: the point of no return. Everything else on the store is the manager's. */
export function handoverStep(scope: StoreScope, manager: string, move: Handover, requires: readonly Expectation[]): Step {
  const {from, to, region, epoch, planned} = move;
  return step({
    id: `promote${scope.suffix}`,
    phase: 'promote',
    title: `let ${manager} ${planned ? `hand over from ${from} to ${to}` : `fail over to ${to}`}`,
    do: call('store.handover', {store: scope.store, member: to, region}, {from, epoch, planned}),
    requires: [expect('store.claimed', {store: scope.store}, true), ...requires],
    ensures: [verify('store.primary', {store: scope.store}, to)],
    pivot: true,
    deadlineMs: 120_000,
  });
}

/** Waits until a member streams from the new primary: its manager brings it there, so traffic waits for nobody. */
export function settledStep(scope: StoreScope, member: string, region: string, upstream: string, phase: 'verify' | 'converge'): Step {
  return step({
    id: `follow-${member}${scope.suffix}`,
    phase,
    title: `see ${member} follow ${upstream}`,
    do: call('store.await-following', {store: scope.store, member, region}, {upstream}),
    onFailure: 'continue',
    deadlineMs: 60_000,
  });
}
