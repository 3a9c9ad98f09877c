import type {OperatorProcess} from '../drill/reaction-command.ts';
import type {JournalEvent, State} from '../ports/state.ts';
import {identityText, whoAmI} from '../state/identity.ts';

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
