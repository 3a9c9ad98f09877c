import {messageOf} from '../errors.ts';
import type {ExitCode} from '../exit-codes.ts';
import type {StoreSpec} from '../fleet/fleet.ts';
import {rpoOf} from '../fleet/lookup.ts';
import type {Abilities} from '../ports/store.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {BREAKER, type BreakerLook, breakerNow} from '../replication/breaker.ts';
import {judgeLinks, type LagRow, type LinkSample, lookAgainAfter} from '../replication/lag.ts';
import {createLinkKeeper} from '../replication/link-keeper.ts';
import {breakerLooks, keptSamples, NO_SAMPLES, percentilesOf, type RecordState, type Samples} from '../replication/link-record.ts';
import {type Cell, known, unknown} from '../snapshot/cell.ts';
import {type Asked, askInTime, beatInTime} from './ask-in-time.ts';
import {lagExit} from './lag-verdict.ts';
import {rememberLag} from './remember-lag.ts';

/** A store whose links could not be read, or only by a look that tells less than two: `code` for scripts, `reason` for people. */
export type UnreadStore = {readonly store: string; readonly code: string; readonly reason: string};

/** The document of `replication lag`. */
export type LagDocument = {readonly at: string; readonly links: readonly LagRow[]; readonly unread: readonly UnreadStore[]};

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

/**
 * Reads every link of every store from both of its ends, at once. What is read is remembered, for a day on which the primary cannot be asked. A store that
 * throws or hangs costs the others nothing but the wait for its deadline, and makes the exit code that of unknown.
 */
export async function readLag(
  open: OpenFleet,
  {signal, store, heartbeat = true, windowMs}: LagOptions,
): Promise<{document: LagDocument; exit: ExitCode}> {
  const specs = open.fleet.stores.filter(({name}) => store === undefined || name === store);
  const looks = await Promise.all(specs.map(async (spec) => ({spec, ...(await readStore(open, spec, {signal, heartbeat}))})));
  const links = await recorded(open, looks, windowMs);
  const unread = looks.flatMap((look) => look.unread ?? []);
  return {document: {at: new Date(open.clock.wall()).toISOString(), links, unread}, exit: lagExit(links, unread.length > 0)};
}

/** The largest replay lag in ms of any standby outside some regions; unknown when one of them cannot be told. */
export async function largestLag(open: OpenFleet, except: readonly string[], signal: AbortSignal): Promise<Cell<number>> {
  const {document} = await readLag(open, {signal, heartbeat: false});
  const at = open.clock.wall();
  const unread = document.unread.find(({store}) => hasMemberOutside(open, store, except));
  if (unread !== undefined) return unknown(unread.code, `${unread.store} could not be read: ${unread.reason}`, at);
  const inside = document.links.filter(({store, to}) => !except.includes(regionOfMember(open, store, to)));
  const blind = inside.find(({seconds}) => seconds === null);
  if (blind !== undefined) return unknown(blind.code, `${blind.store} ${blind.from} → ${blind.to}: ${blind.reason}`, at);
  return known(Math.max(0, ...inside.map(({seconds}) => (seconds ?? 0) * 1000)), at, 'here');
}

type Look = {readonly signal: AbortSignal; readonly heartbeat: boolean};

/** What was read of a store at `at` (epoch ms), and how it was judged. `unread` = why its links, or how they move, are not known; null = they are. */
type StoreLook = {
  readonly rows: readonly LagRow[];
  readonly samples: readonly LinkSample[];
  readonly at: number;
  readonly unread: UnreadStore | null;
};

/** One look. `askedAt` and `at` are epoch ms, `ended` is monotonic. */
type Reading = Omit<StoreLook, 'unread'> & {readonly askedAt: number; readonly ended: number};

async function readStore(open: OpenFleet, spec: StoreSpec, {signal, heartbeat: mayBeat}: Look): Promise<StoreLook> {
  const {clock} = open;
  const {links, heartbeat} = open.stores[spec.name]?.abilities ?? {};
  if (links === undefined) return {rows: [], samples: [], at: clock.wall(), unread: null};
  // An idle link and a dead one look alike until something is written. Where nothing can be, the links tell why.
  if (mayBeat) await beatInTime(signal, heartbeat);
  const first = await lookAt(open, spec, {links, signal});
  if (!first.ok) return {rows: [], samples: [], at: clock.wall(), unread: unreadOf(spec, first)};
  const againMs = lookAgainAfter(first.value.samples);
  if (againMs !== null) await clock.sleep(againMs, signal);
  const second = againMs === null ? null : await lookAt(open, spec, {links, signal, earlier: first.value});
  const {rows, samples, at, askedAt} = second?.ok === true ? second.value : first.value;
  await remember(open, spec, samples, askedAt);
  // One look is better than none, and what it could not tell is not known.
  return {rows, samples, at, unread: second?.ok === false ? unreadOf(spec, second) : null};
}

type Asking = {readonly links: Abilities['links']; readonly signal: AbortSignal; readonly earlier?: Reading};

/** What a plugin answers is judged here, where nothing that is wrong with it can cost another store. */
function lookAt({clock, fleet}: OpenFleet, spec: StoreSpec, {links, signal, earlier: before}: Asking): Promise<Asked<Reading>> {
  return askInTime(signal, async (own) => {
    const askedAt = clock.wall();
    const samples: readonly LinkSample[] = await links.links(own);
    const ended = clock.now();
    const earlier = before === undefined ? {} : {earlier: {samples: before.samples, msBefore: ended - before.ended}};
    const rows = judgeLinks(samples, {store: spec.name, engine: spec.engine, rpoMs: rpoOf(fleet, spec)?.rpoMs ?? null, ...earlier});
    return {samples, rows, askedAt, at: clock.wall(), ended};
  });
}

const unreadOf = ({name}: StoreSpec, {code, reason}: Exclude<Asked<never>, {ok: true}>): UnreadStore => ({store: name, code, reason});

/** Each row with its breaker, which this look leads on; and with how the link was, where that is asked. What cannot be kept costs neither. */
async function recorded(
  open: OpenFleet,
  looks: readonly ({readonly spec: StoreSpec} & StoreLook)[],
  windowMs: number | undefined,
): Promise<readonly LagRow[]> {
  const {fleet, clock} = open;
  const state: RecordState | null = await open.state().catch(() => null);
  const keeper = createLinkKeeper({fleet: fleet.name, state, clock});
  const now = clock.wall();
  const rows = looks.flatMap(({spec, rows: all, samples, at}) => {
    const seen = breakerLooks(all, samples, at);
    return all.map((row, index): LagRow => {
      const limits = spec.breaker ?? BREAKER;
      const breaker = keeper.look(row, seen[index] as BreakerLook, limits);
      // Another store may have been waited for since.
      return {...row, ageMs: row.ageMs + Math.max(0, now - at), breaker: breakerNow(breaker, limits)};
    });
  });
  keeper.end();
  if (windowMs === undefined) return rows;
  const since = now - windowMs;
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

function hasMemberOutside({fleet}: OpenFleet, store: string, except: readonly string[]): boolean {
  return fleet.stores.some(({name, members}) => name === store && members.some(({region}) => !except.includes(region)));
}

function regionOfMember(open: OpenFleet, store: string, member: string): string {
  const spec = open.fleet.stores.find(({name}) => name === store);
  return spec?.members.find(({name}) => name === member)?.region ?? '';
}
