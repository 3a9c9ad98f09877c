import type {RegionVerdict} from '../snapshot/snapshot.ts';
import type {Verdict} from './verdict.ts';

/** What one sweep says of a region. */
export type Observed = Exclude<Verdict, 'recovering'>;

/** How many observations in a row it takes: `fall` bad ones to be unhealthy (default 1), `rise` good ones to leave recovering (default 2). */
export type RiseFall = {readonly rise: number; readonly fall: number};

/** What is remembered of a region. `since` (epoch ms) is when the state began, `unseenSince` when it was last lost from sight, null while it is seen. */
export type RegionState = {
  readonly state: RegionVerdict;
  readonly since: number;
  readonly rises: number;
  readonly falls: number;
  readonly unseenSince: number | null;
};

/** A condition of a row, on the counts including the present observation. */
export type Condition = 'always' | 'falls < fall' | 'falls >= fall' | 'rises < rise' | 'rises >= rise';

/** What a transition is for people: nothing, or a line in the history that alarms, warns, tells, or gives the all-clear. */
export type TransitionAction = 'none' | 'alarm' | 'warn' | 'tell' | 'clear';

/** A row of the table: what follows from a state and an observation. */
export type Transition = {
  readonly from: RegionVerdict;
  readonly observed: Observed;
  readonly when: Condition;
  readonly to: RegionVerdict;
  readonly comment: string;
  readonly action: TransitionAction;
};

type Row = [from: RegionVerdict, observed: Observed, when: Condition, to: RegionVerdict, action: TransitionAction, comment: string];

/** A sweep asks twice before it calls an endpoint down (sweep.ts), so one bad sweep is enough here. */
export const RISE_FALL: RiseFall = {rise: 2, fall: 1};

/** The whole machine. Each state and observation has rows that cover every count exactly once; tests hold it to that. */
export const TRANSITIONS: readonly Transition[] = [
  row('healthy', 'healthy', 'always', 'healthy', 'none', 'all seen to be well'),
  row('healthy', 'degraded', 'always', 'degraded', 'warn', 'slow, or something that is not critical failed'),
  row('healthy', 'unhealthy', 'falls < fall', 'degraded', 'warn', 'a first failure: no longer called healthy, not yet down'),
  row('healthy', 'unhealthy', 'falls >= fall', 'unhealthy', 'alarm', 'failed often enough in a row'),
  row('healthy', 'unknown', 'always', 'healthy', 'none', 'unknown proves nothing: the last known state is kept, and shown as unknown'),
  row('degraded', 'healthy', 'always', 'healthy', 'clear', 'what was slow or failing is well again'),
  row('degraded', 'degraded', 'always', 'degraded', 'none', 'still less than well'),
  row('degraded', 'unhealthy', 'falls < fall', 'degraded', 'none', 'failing, not often enough in a row yet'),
  row('degraded', 'unhealthy', 'falls >= fall', 'unhealthy', 'alarm', 'failed often enough in a row'),
  row('degraded', 'unknown', 'always', 'degraded', 'none', 'unknown proves nothing: the last known state is kept, and shown as unknown'),
  row('unhealthy', 'healthy', 'rises < rise', 'recovering', 'tell', 'answers again; one good observation is no proof yet'),
  row('unhealthy', 'healthy', 'rises >= rise', 'healthy', 'clear', 'well often enough in a row'),
  row('unhealthy', 'degraded', 'rises < rise', 'recovering', 'tell', 'answers again, less than well'),
  row('unhealthy', 'degraded', 'rises >= rise', 'degraded', 'warn', 'up often enough in a row, less than well'),
  row('unhealthy', 'unhealthy', 'always', 'unhealthy', 'none', 'still down'),
  row('unhealthy', 'unknown', 'always', 'unhealthy', 'none', 'unknown proves nothing: the last known state is kept, and shown as unknown'),
  row('recovering', 'healthy', 'rises < rise', 'recovering', 'none', 'well, not often enough in a row yet'),
  row('recovering', 'healthy', 'rises >= rise', 'healthy', 'clear', 'well often enough in a row'),
  row('recovering', 'degraded', 'rises < rise', 'recovering', 'none', 'up, not often enough in a row yet'),
  row('recovering', 'degraded', 'rises >= rise', 'degraded', 'warn', 'up often enough in a row, less than well'),
  row('recovering', 'unhealthy', 'always', 'unhealthy', 'alarm', 'fell back: a region that is coming up gets no second chance'),
  row(
    'recovering',
    'unknown',
    'always',
    'recovering',
    'none',
    'unknown proves nothing: the last known state is kept, and shown as unknown',
  ),
];

/** The state after an observation made `at` (epoch ms). Without a previous one, an observation is taken as it is; `null` when that is unknown. */
export function nextState(
  previous: RegionState | null,
  observation: {readonly verdict: Observed; readonly at: number},
  limits: RiseFall = RISE_FALL,
): RegionState | null {
  const {verdict, at} = observation;
  if (previous === null) return firstState(verdict, at);
  if (verdict === 'unknown') return {...previous, rises: 0, falls: 0, unseenSince: previous.unseenSince ?? at};
  // Counts go no further than anybody asks: what is steady is remembered as the same.
  const rises = verdict === 'unhealthy' ? 0 : Math.min(previous.rises + 1, limits.rise);
  const falls = verdict === 'unhealthy' ? Math.min(previous.falls + 1, limits.fall) : 0;
  const to = transitionFor(previous.state, verdict, {rises, falls}, limits).to;
  return {state: to, since: to === previous.state ? previous.since : at, rises, falls, unseenSince: null};
}

function firstState(verdict: Observed, at: number): RegionState | null {
  if (verdict === 'unknown') return null;
  return {state: verdict, since: at, rises: verdict === 'unhealthy' ? 0 : 1, falls: verdict === 'unhealthy' ? 1 : 0, unseenSince: null};
}

/** The row that applies. Throws when the table has a hole, which its test rules out. */
export function transitionFor(
  from: RegionVerdict,
  observed: Observed,
  counts: {readonly rises: number; readonly falls: number},
  limits: RiseFall,
): Transition {
  const found = TRANSITIONS.find(
    (candidate) => candidate.from === from && candidate.observed === observed && holds(candidate.when, counts, limits),
  );
  if (found === undefined) throw new Error(`no transition from ${from} on ${observed}`);
  return found;
}

function holds(when: Condition, counts: {readonly rises: number; readonly falls: number}, {rise, fall}: RiseFall): boolean {
  const conditions: Readonly<Record<Condition, boolean>> = {
    always: true,
    'falls < fall': counts.falls < fall,
    'falls >= fall': counts.falls >= fall,
    'rises < rise': counts.rises < rise,
    'rises >= rise': counts.rises >= rise,
  };
  return conditions[when];
}

function row(...[from, observed, when, to, action, comment]: Row): Transition {
  return {from, observed, when, to, action, comment};
}
