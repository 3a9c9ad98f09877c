import type {Json} from '../plan/json.ts';
import type {Plan} from '../plan/plan.ts';
import type {RunHead, State} from '../ports/state.ts';
import {runDocument} from '../run/document.ts';
import {progressOf, stepProgress} from '../run/progress.ts';

/** How many earlier runs are looked at for what to expect. */
const EARLIER_RUNS = 10;
/** A smaller copy tells how long a server takes to start, not how fast its data moves. */
const LEAST_BYTES = 256 * 1024 * 1024;

/** The shortest and the longest write gap that earlier runs of this kind between these regions measured; null = none did. Old journals never stop a plan. */
export function earlierGaps(state: State | null, fleet: string, {kind, from, to}: Plan): readonly [number, number] | null {
  const same = (head: RunHead): boolean => head.kind === kind && head.from === from && head.to === to;
  const gaps = earlier(state, fleet, same, (runId, plan, events) => {
    const {outcome, measured} = runDocument(runId, plan, events, false);
    return outcome === 'succeeded' && measured.writeGapMs !== null ? [measured.writeGapMs] : [];
  });
  return gaps.length === 0 ? null : [Math.min(...gaps), Math.max(...gaps)];
}

/** Per store: how fast the last copy of much of a member's data went in an earlier run, starting the server included. In bytes per second. */
export function copySpeeds(state: State | null, fleet: string): Readonly<Record<string, number>> {
  const copies = earlier(
    state,
    fleet,
    ({kind}) => kind === 'failback',
    (_runId, plan, events) => {
      const progress = progressOf(plan, events);
      return plan.steps.flatMap((step) => {
        const {startedAt, endedAt, result} = stepProgress(progress, step);
        const bytes = step.do.action === 'store.rejoin' ? copiedBytes(result) : 0;
        const ms = (endedAt ?? 0) - (startedAt ?? 0);
        return bytes >= LEAST_BYTES && ms > 0 ? [{store: step.do.target.store ?? '', speed: (bytes / ms) * 1000}] : [];
      });
    },
  );
  // Newest first, so the newest is written last.
  return Object.fromEntries(copies.toReversed().map(({store, speed}) => [store, speed]));
}

type Events = ReturnType<State['events']>;

function earlier<T>(
  state: State | null,
  fleet: string,
  wanted: (head: RunHead) => boolean,
  read: (runId: string, plan: Plan, events: Events) => readonly T[],
): readonly T[] {
  if (state === null) return [];
  const heads = state.runs(fleet).filter(wanted).slice(0, EARLIER_RUNS);
  return heads.flatMap(({runId}) => {
    try {
      const plan = state.plan(runId);
      return plan === null ? [] : read(runId, plan, state.events(runId));
    } catch {
      return [];
    }
  });
}

/** Only a copy tells anything: what just follows is caught up by its stream. */
function copiedBytes(result: Json): number {
  if (typeof result !== 'object' || result === null || !('bytes' in result)) return 0;
  return typeof result.bytes === 'number' ? result.bytes : 0;
}
