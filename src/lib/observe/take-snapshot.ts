import {messageOf} from '../errors.ts';
import type {Fleet, StoreSpec} from '../fleet/fleet.ts';
import {type FleetJudgement, judgeFleet, type RegionJudgement} from '../health/judge.ts';
import {probeAll, type SweepOptions, type SweepTarget} from '../health/sweep.ts';
import type {Clock} from '../ports/clock.ts';
import type {Router} from '../ports/router.ts';
import type {Store} from '../ports/store.ts';
import {type Cell, known, unknown} from '../snapshot/cell.ts';
import type {AckRule, Member, RegionHealth, Snapshot, StoreSnapshot} from '../snapshot/snapshot.ts';
import {observeFenced} from './observe-fenced.ts';

export type ObserveOptions = {
  readonly fleet: Fleet;
  readonly probes: readonly SweepTarget[];
  /** What answers as long as this machine is not cut off itself. Default: none. */
  readonly uplinks?: SweepOptions['uplinks'] & {};
  /** Opened stores and routers by name. One that is missing becomes unknown. */
  readonly stores: Readonly<Record<string, Store>>;
  readonly routers: Readonly<Record<string, Router>>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Who is looking; `here` for this machine. */
  readonly vantage: string;
  /** Deadline in ms of each store and router; default 5000. */
  readonly timeoutMs?: number;
  readonly attempts?: SweepOptions['attempts'];
};

/** A snapshot with the judgement its regions were made from. */
export type Observation = {readonly snapshot: Snapshot; readonly judgement: FleetJudgement};

const TIMEOUT_MS = 5000;

/** One picture of the whole fleet. What could not be read is an unknown cell with its reason; never rejects for the state of the world. */
export async function takeSnapshot(options: ObserveOptions): Promise<Snapshot> {
  return (await observeFleet(options)).snapshot;
}

/** Asks endpoints, stores and routers all at once, each with its own deadline. */
export async function observeFleet(options: ObserveOptions): Promise<Observation> {
  const {fleet, clock, vantage} = options;
  const takenAt = new Date(clock.wall()).toISOString();
  const [readings, stores, routers] = await Promise.all([
    probeAll({
      endpoints: options.probes,
      uplinks: options.uplinks ?? [],
      clock,
      signal: options.signal,
      ...(options.attempts === undefined ? {} : {attempts: options.attempts}),
    }),
    Promise.all(fleet.stores.map((spec) => storeCells(spec, options))),
    Promise.all(fleet.routes.map(({name}) => weightsCell(name, options))),
  ]);
  const judgement = judgeFleet(fleet, readings);
  const regions = Object.fromEntries(judgement.regions.map((region) => [region.region, regionCell(region, clock.wall(), vantage)]));
  const snapshot: Snapshot = {
    version: 1,
    takenAt,
    fleetDigest: fleet.digest,
    vantage,
    regions,
    stores: Object.fromEntries(fleet.stores.map(({name}, index) => [name, stores[index] as StoreSnapshot])),
    routers: Object.fromEntries(fleet.routes.map(({name}, index) => [name, routers[index] as Cell<Record<string, number>>])),
  };
  return {snapshot, judgement};
}

/** A region as a cell: what was not judged is an unknown cell, never a verdict. */
export function regionCell(
  {verdict, code, reason, agree, asked}: Omit<RegionJudgement, 'endpoints' | 'region'>,
  at: number,
  vantage: string,
): Cell<RegionHealth> {
  if (verdict === 'unknown') return unknown(code, reason, at);
  return known({verdict, agree, asked, code, reason}, at, vantage);
}

async function storeCells(spec: StoreSpec, options: ObserveOptions): Promise<StoreSnapshot> {
  const store = options.stores[spec.name];
  const [members, ack] = await Promise.all([
    read(options, `store ${spec.name}`, store && ((signal) => observeFenced(store, options.clock, signal))),
    read(options, `the acknowledgement rule of ${spec.name}`, store && ((signal) => store.ackRule(signal))),
  ]);
  return {
    engine: spec.engine,
    ...(store?.manager === undefined ? {} : {manager: store.manager}),
    ...(store?.peers === undefined ? {} : {peers: store.peers}),
    ...(store?.watched === undefined ? {} : {watched: store.watched}),
    ack: flattened(ack),
    members: Object.fromEntries(spec.members.map(({name}) => [name, memberCell(name, members)])),
  };
}

/** The store answers a cell for each member; one that it left out is unknown, and so are all when it did not answer at all. */
function memberCell(name: string, members: Cell<Readonly<Record<string, Cell<Member>>>>): Cell<Member> {
  if (!members.known) return members;
  return members.value[name] ?? unknown('not-reported', `the store's provider said nothing of member ${name}`, members.at);
}

function flattened(cell: Cell<Cell<AckRule>>): Cell<AckRule> {
  return cell.known ? cell.value : cell;
}

function weightsCell(name: string, options: ObserveOptions): Promise<Cell<Readonly<Record<string, number>>>> {
  const router = options.routers[name];
  return read(options, `route ${name}`, router && ((signal) => router.read(signal)));
}

/** Reads one thing with a deadline of its own. It holds even when the provider does not heed the signal. */
async function read<T>(options: ObserveOptions, what: string, ask: ((signal: AbortSignal) => Promise<T>) | undefined): Promise<Cell<T>> {
  const {clock, signal, vantage, timeoutMs = TIMEOUT_MS} = options;
  if (ask === undefined) return unknown('not-opened', `${what} was not opened`, clock.wall());
  const deadline = new AbortController();
  const done = new AbortController();
  const late = clock.sleep(timeoutMs, AbortSignal.any([signal, done.signal])).then(
    () => {
      deadline.abort(new DOMException(`no answer within ${timeoutMs} ms`, 'TimeoutError'));
      return unknown('timeout', `${what} did not answer within ${timeoutMs} ms`, clock.wall());
    },
    () => unknown('interrupted', `reading ${what} was cancelled`, clock.wall()),
  );
  const answer = attempt(ask, AbortSignal.any([signal, deadline.signal])).then(
    (value) => known(value, clock.wall(), vantage),
    (error: unknown) => unknown(codeOf(error), `${what} could not be read: ${messageOf(error)}`, clock.wall()),
  );
  const cell = await Promise.race([answer, late]);
  done.abort();
  return cell;
}

/** So that a provider that throws before its first await is caught like any other. */
async function attempt<T>(ask: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
  return await ask(signal);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unreadable';
}
