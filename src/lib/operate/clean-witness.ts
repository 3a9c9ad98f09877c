import {join} from 'node:path';
import {bounded} from '../awake.ts';
import {type Left, leftRecords, ofFleet, type RecordFleet} from '../drill/store-records.ts';
import {removeLeft} from '../drill/store-witnesses.ts';
import {messageOf} from '../errors.ts';
import type {State} from '../ports/state.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import type {CleanHold} from './clean-hold.ts';

/** What the witness of a drill had left in a store. `removed` false = it is still there, and `says` why. */
export type LeftWitness = {readonly store: string; readonly runId: string; readonly removed: boolean; readonly says: string};

/** How long the removal from one store may take, in ms. */
const CLEAN_MS = 15_000;

export type CleanedWitness = {readonly left: readonly LeftWitness[]; readonly troubles: readonly string[]};

/**
 * Removes what drills that were killed have left in the tables and under the keys of the witness, from the stores that the fleet file lets regionctl write to.
 * The caller holds the fleet's lease, so no run of this fleet uses them.
 */
export async function cleanWitness(
  open: OpenFleet,
  {state}: Pick<CleanHold, 'state'>,
  {signal, dryRun}: {readonly signal: AbortSignal; readonly dryRun: boolean},
): Promise<CleanedWitness> {
  const dir = join(open.stateDir, 'witness');
  try {
    const {left, broken} = await leftRecords(dir);
    const unread = broken.map((file) => `the record of the witness ${file} cannot be read`);
    const untold = state === null && left.some(({kept}) => kept.fleet === undefined) ? [UNTOLD] : [];
    const ours = await ofFleet(
      recordFleet(open.fleet.name, async () => state),
      left,
    );
    const stores = [...new Set(ours.map(({kept}) => kept.store))];
    const cleaned = await Promise.all(
      stores.map((store) =>
        cleanStore(
          open,
          dir,
          ours.filter(({kept}) => kept.store === store),
          {signal, dryRun},
        ),
      ),
    );
    return {left: cleaned.flat(), troubles: [...unread, ...untold]};
  } catch (error) {
    signal.throwIfAborted();
    return {left: [], troubles: [`what a witness left in a store could not be looked for: ${messageOf(error)}`]};
  }
}

/** A fleet as records name it. A run that the state does not know is nobody else's; without a state none is known to be this fleet's. */
export function recordFleet(name: string, open: () => Promise<Pick<State, 'runs' | 'plan'> | null>): RecordFleet {
  return {
    name,
    async hasRun(run) {
      const state = await open();
      return state !== null && (state.plan(run) === null || state.runs(name).some(({runId}) => runId === run));
    },
  };
}

/** A state folder may be shared by fleets, and only the state tells whose run it was that an earlier version recorded. */
const UNTOLD = 'what witnesses had left in stores was not removed: whose runs these were cannot be read';

type How = {readonly signal: AbortSignal; readonly dryRun: boolean};

/** One after the other: the table is dropped with the last of them. */
async function cleanStore(open: OpenFleet, dir: string, left: readonly Left[], how: How): Promise<readonly LeftWitness[]> {
  const rows: LeftWitness[] = [];
  for (const each of left) rows.push(await cleanOne(open, dir, each, how));
  return rows;
}

async function cleanOne({fleet, stores}: OpenFleet, dir: string, left: Left, {signal, dryRun}: How): Promise<LeftWitness> {
  const {
    run: runId,
    kept: {store},
  } = left;
  const row = (removed: boolean, says: string): LeftWitness => ({store, runId, removed, says});
  const what = `what the witness of ${runId} wrote to ${store}`;
  if (fleet.witness?.stores.includes(store) !== true)
    return row(false, `${what} is left: the fleet file does not let regionctl write there any more (witness.stores)`);
  if (dryRun) return row(false, `${what} is left`);
  const end = bounded(signal, CLEAN_MS);
  try {
    await removeLeft({stores, dir}, left, end.signal);
    return row(true, `${what} was removed`);
  } catch (error) {
    signal.throwIfAborted();
    return row(false, `${what} could not be removed, or not recorded: ${messageOf(error)}`);
  } finally {
    end.end();
  }
}
