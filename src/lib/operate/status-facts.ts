import type {State} from '../ports/state.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import type {Sampled} from '../snapshot/sampled.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import {type Asked, askInTime} from './ask-in-time.ts';
import {headroomNow, limitedQuestions} from './headroom.ts';
import {lossFrom} from './loss.ts';
import type {planCapacity} from './plan-capacity.ts';
import type {ReadyDocument} from './ready.ts';
import type {FactSources} from './region-facts.ts';

/** What is judged after the look at the fleet must not make anybody wait as long once more. */
const AFTER_MS = 3000;
/** Members that were read a moment ago and hang now. */
const READING_MS = 2000;
/** Metrics often go with the region. */
const METRICS_MS = 5000;

/** What promoting each region would lose, from what was seen. An interruption is thrown. */
export async function lossesOf(
  open: OpenFleet,
  {stores, state}: {readonly stores: Snapshot['stores']; readonly state: State | null},
  signal: AbortSignal,
): Promise<FactSources['loss']> {
  const asked = open.fleet.regions.map(async ({name}) => {
    const loss = await askInTime(signal, (own) => lossFrom(open, name, {stores, state, signal: own, forMs: READING_MS}), AFTER_MS);
    return [name, sampled(open, loss)] as const;
  });
  return Object.fromEntries(await Promise.all(asked));
}

/** What readiness is judged from. */
type Look = {readonly snapshot: Snapshot; readonly state: State | null; readonly capacity: ReturnType<typeof planCapacity>};

/** Whether each region could take over, from what was seen; it is no check that counts. An interruption is thrown. */
export async function readinessOf(open: OpenFleet, look: Look, signal: AbortSignal): Promise<Sampled<ReadyDocument>> {
  // What plans are made with is loaded while the fleet answers.
  const asked = await askInTime(
    signal,
    async (own) => {
      const [{readyFrom}, {worldOf}, capacity] = await Promise.all([import('./ready.ts'), import('./world.ts'), look.capacity]);
      return (await readyFrom(open, worldOf(open, {life: own}), {...look, capacity}, {signal: own, record: false})).document;
    },
    AFTER_MS,
  );
  return sampled(open, asked);
}

/** What is left of each limit; null = the fleet file has none. An interruption is thrown. */
export async function headroomOf(open: OpenFleet, signal: AbortSignal): Promise<FactSources['headroom']> {
  const questions = limitedQuestions(open);
  if (questions.length === 0) return null;
  return sampled(open, await askInTime(signal, (own) => headroomNow(open, questions, own), METRICS_MS));
}

/** As one whose source is asked once: what it said, or why it says nothing. */
function sampled<T>({clock}: OpenFleet, asked: Asked<T>): Sampled<T> {
  const at = clock.wall();
  return asked.ok
    ? {value: asked.value, at, failing: null}
    : {value: null, at: null, failing: {code: asked.code, reason: asked.reason, since: at}};
}
