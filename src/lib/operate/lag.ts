import {messageOf} from '../errors.ts';
import type {ExitCode} from '../exit-codes.ts';
import type {StoreSpec} from '../fleet/fleet.ts';
import {rpoOf} from '../fleet/lookup.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {BREAKER, breakerNow} from '../replication/breaker.ts';
import {judgeLinks, type LagRow, type LinkSample, lookAgainAfter, worst} from '../replication/lag.ts';
import {createLinkKeeper} from '../replication/link-keeper.ts';
import {breakerLook, keptSamples, NO_SAMPLES, percentilesOf, type RecordState, type Samples} from '../replication/link-record.ts';
import {type Cell, known, unknown} from '../snapshot/cell.ts';
import {rememberLag} from './remember-lag.ts';

/** The document of `replication lag`. */
export type LagDocument = {readonly at: string; readonly links: readonly LagRow[]};

/**
 * `heartbeat` false = nothing is written, even where the fleet file allows it: for looks of a plan, which a dry run takes too. Default true. With
 * `windowMs` each row says how its link was for so long.
 */
export type LagOptions = {
  readonly signal: AbortSignal;
  readonly store?: string | undefined;
  readonly heartbeat?: boolean;
  readonly windowMs?: number | undefined;
};

/** Reads every link of every store from both of its ends, at once. What is read is remembered, for a day on which the primary cannot be asked. */
export async function readLag(
  open: OpenFleet,
  {signal, store, heartbeat = true, windowMs}: LagOptions,
): Promise<{document: LagDocument; exit: ExitCode}> {
  const specs = open.fleet.stores.filter(({name}) => store === undefined || name === store);
  const looks = await Promise.all(specs.map(async (spec) => ({spec, ...(await readStore(open, spec, {signal, heartbeat}))})));
  const links = await recorded(open, looks, windowMs);
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

type Look = {readonly signal: AbortSignal; readonly heartbeat: boolean};

/** What was read of a store, and how it was judged. */
type StoreLook = {readonly rows: readonly LagRow[]; readonly samples: readonly LinkSample[]};

async function readStore(open: OpenFleet, spec: StoreSpec, {signal, heartbeat: mayBeat}: Look): Promise<StoreLook> {
  const {links, heartbeat} = open.stores[spec.name]?.abilities ?? {};
  if (links === undefined) return {rows: [], samples: []};
  // An idle link and a dead one look alike until something is written. Where nothing can be, the links tell why.
  if (mayBeat) await heartbeat?.beat(signal).catch(() => undefined);
  const rpoMs = rpoOf(open.fleet, spec)?.rpoMs ?? null;
  const thresholds = {store: spec.name, engine: spec.engine, rpoMs};
  const askedAt = open.clock.wall();
  const first: readonly LinkSample[] = await links.links(signal);
  const firstAt = open.clock.now();
  const againMs = lookAgainAfter(first);
  if (againMs === null) {
    await remember(open, spec, first, askedAt);
    return {samples: first, rows: judgeLinks(first, thresholds)};
  }
  await open.clock.sleep(againMs, signal);
  const againAt = open.clock.wall();
  const samples: readonly LinkSample[] = await links.links(signal);
  await remember(open, spec, samples, againAt);
  return {samples, rows: judgeLinks(samples, {...thresholds, earlier: {samples: first, msBefore: open.clock.now() - firstAt}})};
}

/** Each row with its breaker, which this look leads on; and with how the link was, where that is asked. What cannot be kept costs neither. */
async function recorded(
  open: OpenFleet,
  looks: readonly ({readonly spec: StoreSpec} & StoreLook)[],
  windowMs: number | undefined,
): Promise<readonly LagRow[]> {
  const {fleet, clock} = open;
  const state: RecordState | null = await open.state().catch(() => null);
  const keeper = createLinkKeeper({fleet: fleet.name, state, clock});
  const at = clock.wall();
  const rows = looks.flatMap(({spec, rows: all, samples}) =>
    all.map((row, index): LagRow => {
      const limits = spec.breaker ?? BREAKER;
      const breaker = keeper.look(row, breakerLook(row, samples[index] as LinkSample, at), limits);
      return {...row, breaker: breakerNow(breaker, limits)};
    }),
  );
  keeper.end();
  if (windowMs === undefined) return rows;
  const since = at - windowMs;
  const samplesOf = (row: LagRow): Samples => {
    try {
      return state === null ? NO_SAMPLES : keptSamples(state, fleet.name, row, {since});
    } catch {
      return NO_SAMPLES;
    }
  };
  return rows.map((row) => ({...row, percentiles: percentilesOf(samplesOf(row), since)}));
}

/** Losing a sample must not cost the answer: state that cannot be opened is left alone here. */
async function remember(open: OpenFleet, spec: StoreSpec, samples: readonly LinkSample[], askedAt: number): Promise<void> {
  try {
    const state = await open.state();
    rememberLag(state, {fleet: open.fleet.name, store: spec.name}, samples, askedAt);
  } catch (error) {
    if (process.env.DEBUG) process.stderr.write(`lag was not remembered: ${messageOf(error)}\n`);
  }
}

function regionOfMember(open: OpenFleet, store: string, member: string): string {
  const spec = open.fleet.stores.find(({name}) => name === store);
  return spec?.members.find(({name}) => name === member)?.region ?? '';
}
