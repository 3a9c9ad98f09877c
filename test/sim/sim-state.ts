import {leaseHeld, RegionctlError} from '../../src/lib/errors.ts';
import {EXIT} from '../../src/lib/exit-codes.ts';
import type {Lease, LeaseHolder, State} from '../../src/lib/ports/state.ts';
import {CRASH, memoryState} from '../run/memory-state.ts';
import type {Process} from './process.ts';
import type {SimFleet} from './sim-fleet.ts';

type Held = {readonly process: Process; readonly token: string; readonly runId: string | null; readonly since: number};

/** One data directory: it outlives the processes that use it. Its lease is a lock of the kernel: held while its process lives, stopped or not. */
export type DataDir = {readonly name: string; readonly state: State; held: Held | null; runs: string[]; leases: number};

export function dataDir(fleet: SimFleet, name: string): DataDir {
  const clock = {wall: () => 1_800_000_000_000 + fleet.scheduler.now, now: () => fleet.scheduler.now, sleep: () => Promise.resolve()};
  return {name, state: memoryState(clock), held: null, runs: [], leases: 0};
}

/** Somebody removes the lease's file: it can be taken again, and who holds it is told at its next check. */
export function breakLease(dir: DataDir): void {
  dir.held = null;
}

/** The state of a data directory as one process sees it. What a dead process would still write is not written. */
export function processState(dir: DataDir, process: Process): State {
  const {state} = dir;
  return {
    ...state,
    createRun: (runId, fleet, plan) => {
      dir.runs.push(runId);
      state.createRun(runId, fleet, plan);
    },
    append: (runId, event) => {
      const label = event.step === null ? event.type : `${event.type} ${event.step}`;
      process.appends++;
      if (process.alive) process.disturb(process, {kind: 'append', label, count: process.appends});
      if (!process.alive) throw CRASH;
      const line = state.append(runId, event);
      follow(process, event.type, event.step);
      if (process.openIntent !== null) demandLease(dir, process, label);
      process.fleet.note(`${process.name} writes ${label}${saysOf(event.data)}`);
      process.disturb(process, {kind: 'appended', label, count: process.appends});
      if (!process.alive) throw CRASH;
      return line;
    },
    lease: (name, runId) => takeLease(dir, process, name, runId),
    holder: () => holderOf(dir),
  };
}

/** Between an intent and whatever ends it, effects are on record. */
function follow(process: Process, type: string, step: string | null): void {
  if (type === 'intent' || type === 'undo-intent') process.openIntent = step;
  if (['result', 'step-failed', 'step-skipped', 'undo-result', 'undo-failed', 'run-ended'].includes(type)) process.openIntent = null;
}

/** One process at a time acts for a data directory: whoever is about to act holds its lease, in that very moment. */
function demandLease({held}: DataDir, process: Process, label: string): void {
  if (held?.process === process || !/^(undo-)?intent /.test(label)) return;
  process.fleet.truth.violate('two-at-work', `${process.name} writes ${label}, and ${held?.process.name ?? 'nobody'} holds the lease`);
}

function takeLease(dir: DataDir, process: Process, name: string, runId: string | null): Lease {
  if (dir.held?.process.alive === true) throw leaseHeld(`The lease "${name}" is held by ${dir.held.process.name}.`);
  const held: Held = {process, token: `${++dir.leases}-${process.name}`, runId, since: process.fleet.scheduler.now};
  dir.held = held;
  return {
    token: held.token,
    check: () => {
      if (dir.held !== held) throw new RegionctlError('lease-lost', EXIT.leaseHeld, `The lease "${name}" is not held any more.`);
    },
    release: () => {
      if (dir.held === held) dir.held = null;
    },
  };
}

function holderOf({held}: DataDir): LeaseHolder | null {
  if (held === null || !held.process.alive) return null;
  const {process, token, runId, since} = held;
  return {token, pid: 1, user: process.name, host: 'ops', runId, since};
}

function saysOf(data: unknown): string {
  if (typeof data !== 'object' || data === null) return '';
  const {says, reason, code} = data as {readonly says?: unknown; readonly reason?: unknown; readonly code?: unknown};
  const text = typeof says === 'string' ? says : typeof reason === 'string' ? reason : '';
  return text === '' ? '' : `: ${typeof code === 'string' ? `[${code}] ` : ''}${text}`;
}
