import {messageOf} from '../errors.ts';
import type {ExitCode} from '../exit-codes.ts';
import type {StoreSpec} from '../fleet/fleet.ts';
import {rpoOf} from '../fleet/lookup.ts';
import type {Json} from '../plan/json.ts';
import type {State} from '../ports/state.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {judgeLinks, type LagRow, type LinkSample, lookAgainAfter, worst} from '../replication/lag.ts';
import type {LagHistory} from '../replication/loss.ts';
import {type Cell, known, unknown} from '../snapshot/cell.ts';

/** The document of `replication lag`. */
export type LagDocument = {readonly at: string; readonly links: readonly LagRow[]};

/** `heartbeat` false = nothing is written, even where the fleet file allows it: for looks of a plan, which a dry run takes too. Default true. */
export type LagOptions = {readonly signal: AbortSignal; readonly store?: string | undefined; readonly heartbeat?: boolean};

/** Reads every link of every store from both of its ends, at once. What is read is remembered, for a day on which the primary cannot be asked. */
export async function readLag(
  open: OpenFleet,
  {signal, store, heartbeat = true}: LagOptions,
): Promise<{document: LagDocument; exit: ExitCode}> {
  const specs = open.fleet.stores.filter(({name}) => store === undefined || name === store);
  const links = (await Promise.all(specs.map((spec) => readStore(open, spec, {signal, heartbeat})))).flat();
  return {document: {at: new Date(open.clock.wall()).toISOString(), links}, exit: worst(links)};
}

/** The largest replay lag in ms of any standby outside some regions; unknown when one of them cannot be told. */
export async function largestLag(open: OpenFleet, except: readonly string[], signal: AbortSignal): Promise<Cell<number>> {
  const {document} = await readLag(open, {signal, heartbeat: false});
  const at = open.clock.wall();
  const inside = document.links.filter(({store, to}) => !except.includes(regionOfMember(open, store, to)));
  const blind = inside.find(({seconds}) => seconds === null);
  if (blind !== undefined) return unknown(blind.code, `${blind.store} ${blind.from} → ${blind.to}: ${blind.reason}`, at);
  return known(Math.max(0, ...inside.map(({seconds}) => (seconds ?? 0) * 1000)), at, 'here');
}

/** What was remembered of the lag of one member, as an estimate can use it now. */
export function recallLag(
  state: State,
  {fleet, store, member, now}: {fleet: string; store: string; member: string; now: number},
): LagHistory | undefined {
  const kept = parseKept(state.recall(lagKey(fleet, store, member)));
  return kept === null ? undefined : {bytes: kept.bytes, bytesPerSecond: kept.bytesPerSecond, ageMs: now - kept.at};
}

type Look = {readonly signal: AbortSignal; readonly heartbeat: boolean};

async function readStore(open: OpenFleet, spec: StoreSpec, {signal, heartbeat: mayBeat}: Look): Promise<readonly LagRow[]> {
  const {links, heartbeat} = open.stores[spec.name]?.abilities ?? {};
  if (links === undefined) return [];
  // An idle link and a dead one look alike until something is written. Where nothing can be, the links tell why.
  if (mayBeat) await heartbeat?.beat(signal).catch(() => undefined);
  const rpoMs = rpoOf(open.fleet, spec)?.rpoMs ?? null;
  const thresholds = {store: spec.name, engine: spec.engine, rpoMs};
  const first: readonly LinkSample[] = await links.links(signal);
  const firstAt = open.clock.now();
  const againMs = lookAgainAfter(first);
  if (againMs === null) {
    await remember(open, spec, first);
    return judgeLinks(first, thresholds);
  }
  await open.clock.sleep(againMs, signal);
  const samples: readonly LinkSample[] = await links.links(signal);
  await remember(open, spec, samples);
  return judgeLinks(samples, {...thresholds, earlier: {samples: first, msBefore: open.clock.now() - firstAt}});
}

/** Losing a sample must not cost the answer: state that cannot be opened is left alone here. */
async function remember(open: OpenFleet, spec: StoreSpec, samples: readonly LinkSample[]): Promise<void> {
  try {
    const state = await open.state();
    for (const sample of samples) rememberOne(open, state, spec.name, sample);
  } catch (error) {
    if (process.env.DEBUG) process.stderr.write(`lag was not remembered: ${messageOf(error)}\n`);
  }
}

function rememberOne(open: OpenFleet, state: State, store: string, sample: LinkSample): void {
  const {to, flushBytes, replayBytes, replayOffset, kind} = sample;
  // A member may have several subscriptions, and none of them makes it a copy that could be promoted.
  if (kind === 'logical') return;
  if (flushBytes === null || replayBytes === null || replayOffset === null || replayOffset === undefined) return;
  const key = lagKey(open.fleet.name, store, to);
  const end = Number(replayOffset) + replayBytes;
  const at = open.clock.wall();
  const before = parseKept(state.recall(key));
  const elapsedSeconds = before === null ? 0 : (at - before.at) / 1000;
  const grew = before === null || elapsedSeconds <= 0 ? 0 : Math.max(0, (end - before.end) / elapsedSeconds);
  state.remember(key, {bytes: flushBytes, end, at, bytesPerSecond: Math.round(grew)});
}

type Kept = {readonly bytes: number; readonly end: number; readonly at: number; readonly bytesPerSecond: number};

function parseKept(value: Json | undefined): Kept | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const {bytes, end, at, bytesPerSecond} = value as Readonly<Record<string, Json>>;
  if (typeof bytes !== 'number' || typeof end !== 'number' || typeof at !== 'number' || typeof bytesPerSecond !== 'number') return null;
  return {bytes, end, at, bytesPerSecond};
}

function lagKey(fleet: string, store: string, member: string): string {
  return `lag/${fleet}/${store}/${member}`;
}

function regionOfMember(open: OpenFleet, store: string, member: string): string {
  const spec = open.fleet.stores.find(({name}) => name === store);
  return spec?.members.find(({name}) => name === member)?.region ?? '';
}
