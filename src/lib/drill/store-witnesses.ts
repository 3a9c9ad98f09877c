import {bounded} from '../awake.ts';
import {messageOf, unavailable, usageError} from '../errors.ts';
import type {Ctx} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import type {Clock} from '../ports/clock.ts';
import type {Abilities, Store} from '../ports/store.ts';
import type {ReadBack} from '../witness/readings.ts';
import {startStoreWitness} from '../witness/store-witness.ts';
import type {Witness} from '../witness/witness.ts';
import {readWitnessLog} from '../witness/witness-log.ts';
import {type Making, makeAgain} from './store-place.ts';
import {
  dropRecord,
  type Left,
  logOf,
  ofFleet,
  type RecordFleet,
  recordsOf,
  recordsOfStore,
  type StoreRecord,
  writeRecord,
} from './store-records.ts';
import {storeResult} from './store-result.ts';

/** `fleet`: whose stores these are; what runs of others left is theirs. */
type Deps = {
  readonly fleet: RecordFleet;
  readonly stores: Readonly<Record<string, Store>>;
  readonly dir: string;
  readonly life: AbortSignal;
  readonly clock: Clock;
};

/** Durations in ms. */
export type StreamsStart = {readonly stores: readonly string[]; readonly everyMs: number; readonly deadlineMs: number};

/** The streams into stores that belong to one run. */
export type StoreWitnesses = {
  /**
   * Cleans what earlier runs left, and makes the places for the writes. Throws what stands in the way: a missing privilege, no primary. A run that
   * is resumed has been prepared; where its place was removed meanwhile, it is made again beside the run, and what stood in the way is told at the end.
   */
  prepare(ctx: Ctx, stores: readonly string[]): Promise<void>;
  start(runId: string, args: StreamsStart): Promise<void>;
  /** Stops them, reads back on the primaries and cleans up. Asked again it cleans what could not be cleaned before; what was measured stands. */
  stop(ctx: Ctx): Promise<Json[]>;
  /** Whether nothing of the run is left to be done. */
  done(runId: string): Promise<boolean>;
};

const PREPARE_MS = 10_000;
const READ_MS = 25_000;
const CLEAN_MS = 10_000;
const AGAIN_MS = 500;

/** Binds the streams to the stores of the fleet. Files are kept in `dir`, beside the log of the front door's witness. */
export function storeWitnesses(deps: Deps): StoreWitnesses {
  const running = new Map<string, Witness>();
  const makings = new Map<string, Making>();
  return {
    prepare: async (ctx, stores) => {
      const begun = (await recordsOf(deps.dir, ctx.runId)).filter(isBegun);
      await Promise.all(
        stores.map(async (store) => {
          const ability = abilityOf(deps, store);
          const before = begun.find((one) => one.store === store);
          if (before === undefined) return await makeNew(deps, ctx, store, ability);
          if (!before.cleaned && !before.lost) return;
          // Written first, as below. That something was lost stays, so whoever resumes this run makes it again, too.
          await writeRecord(deps.dir, ctx.runId, {...before, cleaned: false, lost: true, row: null});
          makings.set(store, makeAgain({ability, clock: deps.clock, life: deps.life}));
        }),
      );
    },
    start: async (runId, {stores, everyMs, deadlineMs}) => {
      for (const store of stores) {
        if (running.has(store)) continue;
        const members = Object.keys((await deps.stores[store]?.observe(deps.life)) ?? {});
        const before = (await recordsOf(deps.dir, runId)).find((one) => one.store === store);
        const lost = before?.lost === true || before?.cleaned === true;
        await writeRecord(deps.dir, runId, {store, fleet: deps.fleet.name, members, cleaned: false, lost, row: null});
        const common = {run: runId, everyMs, deadlineMs, clock: deps.clock, signal: deps.life};
        const logFile = logOf(deps.dir, runId, store);
        running.set(store, await startStoreWitness({...common, store, members, ability: abilityOf(deps, store), logFile}));
      }
    },
    stop: async (ctx) => {
      await Promise.all([...running.values()].map((witness) => witness.stop()));
      running.clear();
      const unmade = new Map(await Promise.all([...makings].map(async ([store, making]) => [store, await making.end()] as const)));
      makings.clear();
      const kept = await recordsOf(deps.dir, ctx.runId);
      // Of one that was never begun there is nothing to tell; what cannot be cleaned stays on record.
      const unbegun = kept
        .filter((one) => !isBegun(one))
        .map((one) => within(ctx, CLEAN_MS, (signal) => removeLeft(deps, {run: ctx.runId, kept: one}, signal)));
      await Promise.allSettled(unbegun);
      return await Promise.all(kept.filter(isBegun).map((one) => finish(deps, ctx, one, unmade.get(one.store) ?? null)));
    },
    done: async (runId) =>
      running.size === 0 &&
      (await recordsOf(deps.dir, runId)).every(({cleaned, row, members}) => members.length === 0 || (cleaned && row !== null)),
  };
}

async function makeNew(deps: Deps, ctx: Ctx, store: string, ability: Abilities['witness']): Promise<void> {
  await within(ctx, PREPARE_MS, async (signal) => {
    // First: it takes the place away as well, when nothing else is in it.
    await cleanEarlier(deps, ctx.runId, store, signal);
    // Written first: whatever becomes of this process, somebody knows what there is to clean.
    await writeRecord(deps.dir, ctx.runId, {store, fleet: deps.fleet.name, members: [], cleaned: false, lost: false, row: null});
    await ability.prepare(signal);
  });
}

/** Measures unless that was done, then cleans. What cannot be done is told in the row. */
async function finish(deps: Deps, ctx: Ctx, kept: StoreRecord, unmade: string | null): Promise<Json> {
  const measured = kept.row ?? withUnmade(await measure(deps, ctx, kept), unmade);
  // What was read is on record before it is removed: asked again, nothing would be there.
  await writeRecord(deps.dir, ctx.runId, {...kept, row: measured});
  if (kept.cleaned) return measured;
  try {
    await within(ctx, CLEAN_MS, (signal) => abilityOf(deps, kept.store).clean(ctx.runId, signal));
    await writeRecord(deps.dir, ctx.runId, {...kept, row: measured, cleaned: true});
    return measured;
  } catch (error) {
    return {
      ...measured,
      trouble: also(measured.trouble, `its writes could not be removed and will be by the next drill: ${messageOf(error)}`),
    };
  }
}

function withUnmade(row: Record<string, Json>, unmade: string | null): Record<string, Json> {
  if (unmade === null) return row;
  return {...row, trouble: also(row.trouble, `the place for its writes had been removed, and could not be made again: ${unmade}`)};
}

async function measure(deps: Deps, ctx: Ctx, {store, members, lost}: StoreRecord): Promise<Record<string, Json>> {
  const log = await readWitnessLog(logOf(deps.dir, ctx.runId, store));
  const rows = lost
    ? Promise.reject(new Error('a part of them was removed before, by another drill or by drill clean'))
    : within(ctx, READ_MS, (signal) => readOnPrimary(deps, store, ctx.runId, signal));
  rows.catch(() => undefined);
  return await storeResult({store, members, log, rows});
}

/** The primary now: where two say that they are it, the one on the later history. */
async function readOnPrimary({stores, clock}: Deps, store: string, run: string, signal: AbortSignal): Promise<ReadBack> {
  const ability = abilityOf({stores}, store);
  for (let last: unknown = null; ; ) {
    try {
      const primary = await newestPrimary(stores[store], signal);
      if (primary !== null) return await ability.readBack(primary, run, signal);
      last = unavailable('no-primary', `no primary of ${store} answers`);
    } catch (error) {
      last ??= error;
    }
    await clock.sleep(AGAIN_MS, signal).catch((error: unknown) => {
      throw last ?? error;
    });
  }
}

async function newestPrimary(store: Store | undefined, signal: AbortSignal): Promise<string | null> {
  const cells = Object.entries((await store?.observe(signal)) ?? {});
  const primaries = cells.flatMap(([name, cell]) =>
    cell.known && cell.value.role === 'primary' ? [{name, epoch: cell.value.durable.epoch}] : [],
  );
  return primaries.toSorted((a, b) => b.epoch - a.epoch)[0]?.name ?? null;
}

/** Runs of this fleet that ended before they could clean. */
async function cleanEarlier(deps: Deps, runId: string, store: string, signal: AbortSignal): Promise<void> {
  const left = (await recordsOfStore(deps.dir, store)).filter(({run, kept}) => !kept.cleaned && run !== runId);
  for (const each of await ofFleet(deps.fleet, left)) await removeLeft(deps, each, signal);
}

/** Removes what another run has left in a store. Whoever resumes that one hears that its rows are gone. */
export async function removeLeft(deps: Pick<Deps, 'stores' | 'dir'>, {run, kept}: Left, signal: AbortSignal): Promise<void> {
  await abilityOf(deps, kept.store).clean(run, signal);
  if (isBegun(kept)) await writeRecord(deps.dir, run, {...kept, cleaned: true, lost: kept.lost || kept.row === null});
  else await dropRecord(deps.dir, run, kept.store);
}

const isBegun = ({members}: StoreRecord): boolean => members.length > 0;

function abilityOf({stores}: Pick<Deps, 'stores'>, store: string): Abilities['witness'] {
  const ability = stores[store]?.abilities.witness;
  if (ability !== undefined) return ability;
  throw usageError(`The witness cannot write to the store "${store}".`, {
    suggestions: ['Take it out of witness.stores in the fleet file, or give it what docs/witness.md says.'],
  });
}

async function within<T>(ctx: Ctx, ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const {signal, end} = bounded(ctx.signal, Math.max(1, Math.min(ms, ctx.deadline - ctx.now())));
  try {
    return await work(signal);
  } finally {
    end();
  }
}

const also = (before: Json | undefined, more: string): string => (typeof before === 'string' ? `${before}; ${more}` : more);
