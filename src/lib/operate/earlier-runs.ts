import {z} from 'zod';
import type {Json} from '../plan/json.ts';
import type {Plan} from '../plan/plan.ts';
import type {RunHead, State} from '../ports/state.ts';
import {runDocument} from '../run/document.ts';
import {progressOf, stepProgress} from '../run/progress.ts';
import type {Position} from '../snapshot/position.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';

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

/** A snapshot with the latest promotion of each store that earlier runs made: who they promoted may be silent, and is the true primary all the same. */
export function withPromotions(state: State | null, fleet: string, snapshot: Snapshot): Snapshot {
  if (state === null) return snapshot;
  const latest = new Map<string, Pick<Position, 'lineage' | 'epoch'>>();
  // Shifts come by themselves, promote nobody, and would soon be all that is looked at.
  const left = ({kind}: RunHead): boolean => kind !== 'shift' && Object.keys(snapshot.stores).some((name) => !latest.has(name));
  // Newest first, and no further than needed: clients may be waiting.
  earlier(state, fleet, left, (_runId, plan, events) => {
    const progress = progressOf(plan, events);
    for (const step of plan.steps.filter(({pivot}) => pivot).toReversed()) {
      const made = promotion.safeParse(stepProgress(progress, step).result);
      const store = step.do.target.store ?? '';
      if (made.success && !latest.has(store)) latest.set(store, {lineage: made.data.position.lineage, epoch: made.data.position.epoch});
    }
    return [];
  });
  const stores = Object.entries(snapshot.stores).map(([name, store]) => {
    const promoted = latest.get(name);
    return [name, promoted === undefined ? store : {...store, promoted}] as const;
  });
  return {...snapshot, stores: Object.fromEntries(stores)};
}

/** Per store: what each member had when the last run left this region, to count from. Empty when it was taken back since, or nothing was noted. */
export function evacuationMarks(
  state: State | null,
  fleet: string,
  region: string,
): Readonly<Record<string, Readonly<Record<string, Mark>>>> {
  const own = ({kind, from, to}: RunHead): boolean =>
    (kind === 'evacuation' && from === region) || (kind === 'readmission' && to === region);
  const runs = earlier(state, fleet, own, (runId, plan, events) => [
    {plan, events, outcome: runDocument(runId, plan, events, false).outcome},
  ]);
  const back = runs.findIndex(({plan, outcome}) => plan.kind === 'readmission' && outcome === 'succeeded');
  const since = back === -1 ? runs : runs.slice(0, back);
  for (const {plan, events} of since) {
    if (plan.kind !== 'evacuation') continue;
    const progress = progressOf(plan, events);
    const found = plan.steps.flatMap((step) => {
      const counted = step.do.action === 'peers.count-unsent' ? marked.safeParse(stepProgress(progress, step).result) : null;
      return counted?.success === true ? [[step.do.target.store ?? '', counted.data.marks] as const] : [];
    });
    if (found.length > 0) return Object.fromEntries(found);
  }
  return {};
}

const mark = z.object({snapshot: z.string(), streams: z.record(z.string(), z.string()).optional()});
const marked = z.object({marks: z.record(z.string(), mark)});
type Mark = z.infer<typeof marked>['marks'][string];

const promotion = z.object({position: z.object({lineage: z.string(), epoch: z.number()})});

type Events = ReturnType<State['events']>;

function earlier<T>(
  state: State | null,
  fleet: string,
  wanted: (head: RunHead) => boolean,
  read: (runId: string, plan: Plan, events: Events) => readonly T[],
): readonly T[] {
  if (state === null) return [];
  const found: T[] = [];
  let looked = 0;
  for (const head of state.runs(fleet)) {
    if (looked === EARLIER_RUNS) break;
    if (!wanted(head)) continue;
    looked += 1;
    found.push(...readable(state, head, read));
  }
  return found;
}

function readable<T>(state: State, {runId}: RunHead, read: (runId: string, plan: Plan, events: Events) => readonly T[]): readonly T[] {
  try {
    const plan = state.plan(runId);
    return plan === null ? [] : read(runId, plan, state.events(runId));
  } catch {
    return [];
  }
}

/** Only a copy tells anything: what just follows is caught up by its stream. */
function copiedBytes(result: Json): number {
  if (typeof result !== 'object' || result === null || !('bytes' in result)) return 0;
  return typeof result.bytes === 'number' ? result.bytes : 0;
}
