/** What of a run tells whether it goes on. */
export type RunStanding = {readonly kind: string; readonly outcome: string};

/** Runs that can go on, or do. What a breaker began is gone on from by the next look, not resumed. */
const isActive = ({kind, outcome}: RunStanding): boolean =>
  outcome === 'running' || outcome === 'paused' || (outcome === 'interrupted' && kind !== 'shift');

/** Of a list with the newest first the one that goes on: the newest that runs, else one that waits or was interrupted; undefined = none does. */
export function activeRun<T extends RunStanding>(list: readonly T[]): T | undefined {
  const live = list.filter(isActive);
  return live.find(({outcome}) => outcome === 'running') ?? live[0];
}
