import {stateError} from '../errors.ts';
import type {Json} from '../plan/json.ts';
import type {JournalEvent} from '../ports/state.ts';

/** The version of the journal's events. It grows when a meaning changes; old versions stay readable (their journals are test fixtures). */
export const JOURNAL_VERSION = 2;

/** How a run can end, or stand. */
export type Outcome = 'running' | 'paused' | 'succeeded' | 'failed' | 'undone' | 'aborted' | 'interrupted';

/** What is left of a failed step in the world: nothing, perhaps something, or nothing although its intent was on record. */
export type EffectLeft = 'none' | 'possible' | 'withdrawn';

/** The end of a fault in a run's journal, written by whoever ended it: its reaper when the lease was over, or `drill clean`. */
export type NotedEnd = {readonly fault: string; readonly region: string; readonly at: string; readonly by: 'lease' | 'heal'};

/** The closed set of events with what each carries. `says` is always one sentence for people. Times are the event's own `at`. */
export type EventData = {
  /** `user` since version 2: who may not approve his own run where two must. */
  'run-started': {readonly v: number; readonly by: string; readonly token: string; readonly user?: string};
  gate: {readonly gate: string; readonly verdict: 'pass' | 'refuse' | 'unknown'; readonly says: string; readonly overridden: boolean};
  /** How long a phase took that ended before the run began (detect, decide), in ms. */
  'phase-mark': {readonly phase: string; readonly ms: number};
  resumed: {
    readonly v: number;
    readonly by: string;
    readonly token: string;
    readonly at: string;
    readonly user?: string;
    /** Since version 2: on to the end, or back to the start (`runs undo`). */
    readonly going?: 'forward' | 'back';
    readonly reason?: string | null;
  };
  'step-started': {readonly attempt: number};
  /** Durable before the effect. */
  intent: {readonly action: string; readonly v: number; readonly says: string};
  result: {readonly result: Json; readonly says: string};
  'step-skipped': {readonly says: string};
  'step-failed': {readonly code: string; readonly says: string; readonly effect: EffectLeft; readonly result: Json};
  /** Not run because a step that it comes after did not succeed. */
  'step-blocked': {readonly says: string};
  /** Found on resume: what the step had reached holds no more, so it is done again. */
  'step-lost': {readonly says: string};
  'undo-intent': {readonly action: string; readonly v: number; readonly says: string};
  'undo-result': {readonly result: Json; readonly says: string};
  'undo-failed': {readonly code: string; readonly says: string};
  /** Since version 2. `expiresAt` is epoch ms. */
  'approval-asked': {readonly approvers: number; readonly expiresAt: number; readonly says: string};
  /** Written by another process than the one that runs. */
  approved: {readonly by: string; readonly user: string; readonly reason: string | null};
  rejected: {readonly by: string; readonly user: string; readonly reason: string | null};
  'approval-expired': {readonly says: string};
  'abort-asked': {readonly by: string; readonly reason: string | null};
  /**
   * Something to know that changes nothing: what a guard sees, a notifier that could not be reached. `ended`: a fault of the run that another process
   * ended, with the time (ISO 8601) at which that was proven.
   */
  note: {readonly says: string; readonly ended?: NotedEnd};
  /** Steps of `always` follow; those of an earlier attempt count as not run. */
  'always-started': {readonly outcome: Outcome};
  interrupted: {readonly going: 'back' | 'forward' | 'away'; readonly says: string};
  'run-ended': {readonly outcome: Outcome; readonly code: string; readonly reason: string};
};

/** The name of one event. */
export type EventType = keyof EventData;

/** A journal line whose type is known. */
export type RunEvent = {[T in EventType]: Omit<JournalEvent, 'type' | 'data'> & {readonly type: T; readonly data: EventData[T]}}[EventType];

const TYPES: ReadonlySet<string> = new Set<EventType>([
  'run-started',
  'gate',
  'phase-mark',
  'resumed',
  'step-started',
  'intent',
  'result',
  'step-skipped',
  'step-failed',
  'step-blocked',
  'step-lost',
  'undo-intent',
  'undo-result',
  'undo-failed',
  'approval-asked',
  'approved',
  'rejected',
  'approval-expired',
  'abort-asked',
  'note',
  'always-started',
  'interrupted',
  'run-ended',
]);

/** Reads one journal line. A type or version that this regionctl does not know was written by a later one: StateError `journal-newer`. */
export function readEvent(event: JournalEvent): RunEvent {
  if (!TYPES.has(event.type)) throw newer(`has an event "${event.type}"`);
  const read = event as RunEvent;
  if ((read.type === 'run-started' || read.type === 'resumed') && read.data.v > JOURNAL_VERSION) throw newer(`has version ${read.data.v}`);
  return read;
}

function newer(what: string) {
  return stateError('journal-newer', `The journal of this run ${what}; this regionctl knows version ${JOURNAL_VERSION}.`, {
    suggestions: ['Use the regionctl that wrote it, or a later one'],
  });
}
