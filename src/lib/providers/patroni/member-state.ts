import {broken, late, type Trouble} from '../postgres/physical-cause.ts';
import type {ListedMember} from './answers.ts';

/** A member whose server runs, in the words of any version. */
export const runs = ({state}: ListedMember): boolean => state === 'running' || state === 'streaming';

/** What Patroni's word for the state of a member means for the link to it; null = nothing stands in the way, or the word says nothing. */
export function stateTrouble({name, state}: ListedMember, paused: boolean): Trouble | null {
  if (state === 'stopped') {
    const waits = paused ? ', and starts nothing while it is paused' : '';
    return broken('member-stopped', `Patroni says that the server of ${name} is stopped${waits}.`);
  }
  if (state === 'crashed') return broken('member-crashed', `Patroni says that the server of ${name} crashed.`);
  if (state.includes('failed')) return broken('member-failed', `Patroni says "${state}" of ${name}: its server needs a look.`);
  if (BEING_MADE.includes(state)) return late('rebuilding', `Patroni is making ${name} anew ("${state}").`);
  if (state === 'starting' || state === 'restarting') return late('starting', `Patroni is ${state} the server of ${name}.`);
  if (state === 'stopping') return late('member-stopping', `Patroni is stopping the server of ${name}.`);
  return null;
}

const BEING_MADE = ['creating replica', 'initializing new cluster', 'running custom bootstrap script'];
