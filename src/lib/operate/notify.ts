import {timeoutAwake} from '../awake.ts';
import {messageOf} from '../errors.ts';
import type {Json} from '../plan/json.ts';
import type {Plan} from '../plan/plan.ts';
import type {Notice, NoticeKind} from '../ports/notifier.ts';
import type {JournalEvent, State} from '../ports/state.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';

/** Tells the notifiers of the fleet file what a run does. `settled` resolves when every delivery has ended, well or not. */
export type Notifying = {readonly onEvent: (event: JournalEvent) => void; settled(): Promise<void>};

/** A delivery never holds up the run; one that fails is a note in its journal. */
export function notifying(open: OpenFleet, state: State, runId: string, plan: Plan): Notifying {
  const pending = new Set<Promise<void>>();
  const tell = (kind: NoticeKind, says: string, detail: Json, at: number): void => {
    const notice: Notice = {
      kind,
      fleet: open.fleet.name,
      runId,
      run: {kind: plan.kind, from: plan.from, to: plan.to},
      at: new Date(at).toISOString(),
      says,
      detail,
    };
    for (const {name, on, timeoutMs} of open.fleet.notifiers) {
      if (!on.includes(kind)) continue;
      const delivery = deliver(open, name, notice, timeoutMs).catch((error: unknown) =>
        note(state, runId, `${name} was not told: ${messageOf(error)}`),
      );
      pending.add(delivery);
      void delivery.finally(() => pending.delete(delivery));
    }
  };
  return {
    onEvent: (event) => {
      const words = wordsOf(event, plan);
      if (words !== null) tell(words.kind, words.says, event.data, event.at);
    },
    settled: async () => void (await Promise.allSettled(pending)),
  };
}

async function deliver(open: OpenFleet, name: string, notice: Notice, timeoutMs: number): Promise<void> {
  // The notifier has the same deadline and says more about what was late.
  await open.notifiers[name]?.deliver(notice, timeoutAwake(timeoutMs + 500));
}

/** The journal may be what is broken: then there is nowhere to write it down. */
function note(state: State, runId: string, says: string): void {
  try {
    state.append(runId, {type: 'note', step: null, data: {says}});
  } catch {
    // The run itself ends with that error.
  }
}

function wordsOf(event: JournalEvent, plan: Plan): {kind: NoticeKind; says: string} | null {
  const data = (typeof event.data === 'object' && event.data !== null ? event.data : {}) as Readonly<Record<string, Json>>;
  const text = (name: string): string => (typeof data[name] === 'string' ? data[name] : '');
  const way = `${plan.kind}${plan.from === null ? '' : ` from ${plan.from}`}${plan.to === null ? '' : ` to ${plan.to}`}`;
  switch (event.type) {
    case 'run-started':
      return {kind: 'start', says: `${way} was started by ${text('by')}`};
    case 'gate':
      return {
        kind: 'gate',
        says: `gate ${text('gate')}: ${text('verdict')}${data.overridden === true ? ' (overridden)' : ''}: ${text('says')}`,
      };
    case 'approval-asked':
      return {kind: 'approval', says: `${way}: ${event.step ?? ''} ${text('says')}`};
    case 'result':
    case 'step-failed':
      return isGuard(event, plan) ? {kind: 'guard', says: text('says')} : null;
    case 'run-ended':
      return {kind: 'result', says: `${way} ${text('outcome')}: ${text('reason')}`};
    default:
      return null;
  }
}

function isGuard({step}: JournalEvent, plan: Plan): boolean {
  return plan.steps.some(({id, do: {action}}) => id === step && action === 'store.guard');
}
