import type {Json} from '../plan/json.ts';
import type {Plan, Step} from '../plan/plan.ts';
import type {StepStatus} from '../plan/plan-document.ts';
import type {JournalEvent} from '../ports/state.ts';
import {type EventData, type RunEvent, readEvent} from './events.ts';

/** Where one step stands. Times are epoch ms. */
export type StepProgress = {
  status: StepStatus;
  startedAt: number | null;
  endedAt: number | null;
  detail: string | null;
  result: Json;
  attempts: number;
  /** An intent of ours is on record and was not taken back: the effect may be in the world. */
  intended: boolean;
  /** Nothing is left to do for it. */
  settled: boolean;
};

/** What one person said of a step that waits for approval. `at` is epoch ms. */
export type Vote = {
  readonly verdict: 'approved' | 'rejected';
  readonly by: string;
  readonly user: string;
  readonly reason: string | null;
  readonly at: number;
};

/** A step's approval: what was asked, who answered since, and whether it ran out. */
export type Asked = {readonly approvers: number; readonly expiresAt: number; readonly votes: readonly Vote[]; readonly expired: boolean};

/** A run as its journal tells it: the one reading that the runner, resume and reports share. */
export type Progress = {
  started: boolean;
  readonly steps: Map<string, StepProgress>;
  readonly always: ReadonlySet<string>;
  readonly overridden: Set<string>;
  readonly marks: Map<string, number>;
  /** By step: the last time that an approval was asked for. */
  readonly asked: Map<string, Asked>;
  /** Who started or resumed it. */
  readonly starters: Set<string>;
  /** Who told it to stop, since it was last taken up. */
  abort: EventData['abort-asked'] | null;
  /** It was told to go back (`runs undo`). */
  goingBack: boolean;
  readonly notes: string[];
  /** The last line that was read: its number, and when it was written (epoch ms). */
  lastSeq: number;
  lastAt: number | null;
  /** When the attempt that counts began and ended; a resumed run has not ended. */
  ended: EventData['run-ended'] | null;
};

/** How somebody goes on with a run that did not come to its end: on, or back where it was told to go back. */
export const goOnSays = (runId: string, {goingBack}: Pick<Progress, 'goingBack'>): string =>
  goingBack ? `Take back what is left with \`regionctl runs undo ${runId}\`` : `Go on with \`regionctl runs resume ${runId}\``;

/** Reads a whole journal. */
export function progressOf(plan: Plan, events: readonly JournalEvent[]): Progress {
  const all = [...plan.steps, ...plan.always];
  const progress: Progress = {
    started: false,
    steps: new Map(all.map((step) => [step.id, freshStep()])),
    always: new Set(plan.always.map((step) => step.id)),
    overridden: new Set(),
    marks: new Map(),
    asked: new Map(),
    starters: new Set(),
    abort: null,
    goingBack: false,
    notes: [],
    lastSeq: 0,
    lastAt: null,
    ended: null,
  };
  for (const event of events) advance(progress, event);
  return progress;
}

/** Adds one journal line. */
export function advance(progress: Progress, line: JournalEvent): void {
  const event = readEvent(line);
  progress.lastSeq = Math.max(progress.lastSeq, line.seq);
  // That a reaper was there says nothing of how long the run was left alone.
  if (event.type !== 'note' || event.data.ended === undefined) progress.lastAt = line.at;
  if (event.type === 'note') progress.notes.push(event.data.says);
  const step = event.step === null ? undefined : progress.steps.get(event.step);
  if (step !== undefined) advanceStep(step, event);
  else if (event.step === null) advanceRun(progress, event);
  if (event.step !== null) advanceApproval(progress, event.step, event);
}

/** Whether a step's approval is there: enough people, each counted once, and where two must agree not those who run it. */
export function approvalOf(progress: Progress, step: Step): 'none' | 'waiting' | 'approved' | 'rejected' | 'expired' {
  const asked = progress.asked.get(step.id);
  if (step.approval === null || asked === undefined) return 'none';
  if (asked.votes.some(({verdict}) => verdict === 'rejected')) return 'rejected';
  if (approversOf(progress, asked).length >= asked.approvers) return 'approved';
  return asked.expired ? 'expired' : 'waiting';
}

/** The people whose approval counts. */
export function approversOf(progress: Progress, {votes, approvers}: Asked): readonly string[] {
  const users = new Set(votes.filter(({verdict}) => verdict === 'approved').map(({user}) => user));
  return [...users].filter((user) => approvers < 2 || !progress.starters.has(user));
}

/** Where a step of the plan stands. */
export function stepProgress(progress: Progress, step: Step): StepProgress {
  return progress.steps.get(step.id) ?? freshStep();
}

/** Whether a point of no return is behind us: its intent is on record, or what it brings about was found done. Then the way is forward only. */
export function pivotPassed(plan: Plan, progress: Progress): boolean {
  return plan.steps.some((step) => {
    if (!step.pivot) return false;
    const {intended, settled} = stepProgress(progress, step);
    return intended || settled;
  });
}

/** Whether any effect of the run may be in the world. */
export function anyIntent(progress: Progress): boolean {
  return [...progress.steps.values()].some((step) => step.intended);
}

function advanceRun(progress: Progress, event: RunEvent): void {
  if (event.type === 'run-started') progress.started = true;
  if ((event.type === 'run-started' || event.type === 'resumed') && event.data.user !== undefined) progress.starters.add(event.data.user);
  if (event.type === 'abort-asked') progress.abort = event.data;
  if (event.type === 'gate' && event.data.overridden) progress.overridden.add(event.data.gate);
  if (event.type === 'phase-mark') progress.marks.set(event.data.phase, event.data.ms);
  if (event.type === 'resumed') Object.assign(progress, {ended: null, abort: null, goingBack: event.data.going === 'back'});
  if (event.type === 'run-ended') progress.ended = event.data;
  if (event.type === 'always-started') for (const id of progress.always) progress.steps.set(id, freshStep());
}

function advanceApproval({asked}: Progress, step: string, event: RunEvent): void {
  if (event.type === 'approval-asked') {
    const {approvers, expiresAt} = event.data;
    asked.set(step, {approvers, expiresAt, votes: [], expired: false});
  }
  const now = asked.get(step);
  if (now === undefined) return;
  if (event.type === 'approval-expired') asked.set(step, {...now, expired: true});
  if (event.type !== 'approved' && event.type !== 'rejected') return;
  // A vote that came too late counts for nothing, whatever wrote it.
  if (now.expired || event.at > now.expiresAt) return;
  asked.set(step, {...now, votes: [...now.votes, {verdict: event.type, ...event.data, at: event.at}]});
}

function advanceStep(step: StepProgress, event: RunEvent): void {
  switch (event.type) {
    case 'step-started':
      Object.assign(step, {
        status: 'running',
        startedAt: event.at,
        endedAt: null,
        detail: null,
        settled: false,
        attempts: step.attempts + 1,
      });
      return;
    case 'intent':
      step.intended = true;
      return;
    case 'result':
      end(step, 'done', event.at, event.data.says, true);
      step.result = event.data.result;
      return;
    case 'step-skipped':
      // With an intent on record it is ours: the process ended between the effect and its result.
      end(step, step.intended ? 'done' : 'skipped', event.at, event.data.says, true);
      return;
    case 'step-failed':
      failed(step, event.at, event.data);
      return;
    case 'step-blocked':
    case 'step-lost':
      end(step, 'pending', null, event.data.says, false);
      return;
    case 'undo-result':
      step.intended = false;
      end(step, 'undone', event.at, event.data.says, false);
      return;
    case 'undo-failed':
      end(step, 'failed', event.at, event.data.says, false);
      return;
    default:
      return;
  }
}

function failed(step: StepProgress, at: number, data: EventData['step-failed']): void {
  const untouched = data.code === 'interrupted' && data.effect === 'none';
  end(step, untouched ? 'pending' : 'failed', at, data.says, false);
  if (data.result !== null) step.result = data.result;
  if (data.effect === 'withdrawn') step.intended = false;
}

function end(step: StepProgress, status: StepStatus, at: number | null, detail: string, settled: boolean): void {
  Object.assign(step, {status, endedAt: at, detail: detail === '' ? null : detail, settled});
}

function freshStep(): StepProgress {
  return {status: 'pending', startedAt: null, endedAt: null, detail: null, result: null, attempts: 0, intended: false, settled: false};
}
