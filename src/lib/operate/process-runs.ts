import type {EarlierFailover, OperatorProcess} from '../drill/reaction-command.ts';
import type {JournalEvent, State} from '../ports/state.ts';
import {runDocument} from '../run/document.ts';
import {identityText, whoAmI} from '../state/identity.ts';
import {isAlive} from './leases.ts';

/**
 * What the journals of a fleet say of one process of this user and machine; `pid` undefined = it could not be started. To be called when it is started: a
 * run that is there by then is another's, whatever the process id of who began it.
 */
export function runsOfProcess(
  state: Pick<State, 'runs' | 'events'>,
  fleet: string,
  pid: number | undefined,
): Pick<OperatorProcess, 'begunRun' | 'hasTakenUp'> {
  const by = pid === undefined ? null : identityText({...whoAmI(), pid});
  const others = new Set(state.runs(fleet).map(({runId}) => runId));
  const isOwn = ({type, data}: JournalEvent, wanted: string): boolean => type === wanted && by !== null && ownerOf(data) === by;
  let own: string | null = null;
  return {
    async begunRun() {
      own ??=
        state.runs(fleet).find(({runId}) => !others.has(runId) && state.events(runId).some((event) => isOwn(event, 'run-started')))
          ?.runId ?? null;
      return own;
    },
    hasTakenUp: async (runId) => state.events(runId).some((event) => isOwn(event, 'resumed')),
  };
}

function ownerOf(data: JournalEvent['data']): unknown {
  return typeof data === 'object' && data !== null && 'by' in data ? data.by : null;
}

const PID = / \(pid \d+\)$/;

/**
 * The newest failover that whoever carried this drill has begun since it first came to its reaction by a process of its own, if anything is left of it: those
 * that touched nothing, or took everything back, have not. Null = none. Only a drill that was cut short has any.
 */
export function failoverBegunFor(
  state: Pick<State, 'runs' | 'plan' | 'events' | 'holder'>,
  fleet: string,
  drill: string,
): EarlierFailover | null {
  const since = reactionBegan(state, drill);
  if (since === null) return null;
  const carriers = new Set(state.events(drill).flatMap(carrierOf));
  const later = state.runs(fleet).filter(({kind, startedAt}) => (kind === 'failover' || kind === 'evacuation') && startedAt > since);
  for (const {runId} of later.toSorted((a, b) => b.startedAt - a.startedAt)) {
    const events = state.events(runId);
    const plan = state.plan(runId);
    if (plan === null || !events.flatMap(carrierOf).some((who) => carriers.has(who))) continue;
    const stands = standsOf(runDocument(runId, plan, events, false).outcome, isAlive(state, fleet, runId), events);
    if (stands !== null) return {runId, stands, wasResumed: events.some(({type}) => type === 'resumed')};
  }
  return null;
}

function standsOf(outcome: string, isGoing: boolean, events: readonly JournalEvent[]): EarlierFailover['stands'] | null {
  if (isGoing) return 'going';
  if (outcome === 'succeeded') return 'succeeded';
  return outcome === 'undone' || !events.some(({type}) => type === 'intent') ? null : 'unfinished';
}

/** When the drill first meant to start a process for its reaction, in epoch ms; null = it never did. */
function reactionBegan(state: Pick<State, 'plan' | 'events'>, drill: string): number | null {
  const steps = state.plan(drill)?.steps.filter(({do: {action}}) => action === 'reaction.command') ?? [];
  const first = state.events(drill).find(({type, step}) => type === 'intent' && steps.some(({id}) => id === step));
  return first?.at ?? null;
}

/** The user and machine of who began a run or went on with it: the process of its reaction has the same. */
function carrierOf({type, data}: JournalEvent): readonly string[] {
  const by = type === 'run-started' || type === 'resumed' ? ownerOf(data) : null;
  return typeof by === 'string' ? [by.replace(PID, '')] : [];
}
