import type {Plan, Step} from '../plan/plan.ts';
import type {StepStatus} from '../plan/plan-document.ts';
import type {JournalEvent} from '../ports/state.ts';
import type {RegionVerdict} from '../snapshot/snapshot.ts';

/** A step as the view shows it. Times are epoch ms. */
export type StepView = {
  readonly id: string;
  readonly phase: string;
  readonly title: string;
  readonly status: StepStatus;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly detail: string | null;
  /** What a person is told to do while it runs; null = nobody is. */
  readonly prompts: {readonly lines: readonly string[]; readonly withinMs: number} | null;
};

/** A region with what is known of it, and when that was seen (epoch ms). */
export type RegionView = {
  readonly region: string;
  readonly verdict: RegionVerdict | 'unknown';
  readonly note: string;
  readonly at: number;
};

/** The witness while it writes, or what it found in the end. `lost` null = not read back yet. */
export type WitnessView = {
  readonly acknowledged: number;
  readonly unanswered: number;
  readonly longestGapMs: number | null;
  readonly sinceLastAckMs: number | null;
  readonly lost: number | null;
  readonly writing: boolean;
};

/** Everything the view shows, as one immutable value. */
export type RunView = {
  readonly title: string;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly regions: readonly RegionView[];
  readonly steps: readonly StepView[];
  readonly witness: WitnessView | null;
  /** Set by the first interrupt: what the runner does about it. */
  readonly interrupted: string | null;
  /** It is shown for the last time, however the run ended. */
  readonly closed: boolean;
};

/** What a running witness tells at any time. */
export type WitnessSource = {
  snapshot(): {
    readonly acknowledged: number;
    readonly failed: number;
    readonly unknown: number;
    readonly longestGapMs: number;
    readonly sinceLastAckMs: number | null;
  };
};

/** The store of the live view: fed by the runner, read by Ink. `refresh` takes the witness's figures as they are now. */
export type RunStore = {
  subscribe(listener: () => void): () => void;
  getSnapshot(): RunView;
  /** Epoch ms. */
  now(): number;
  event(event: JournalEvent): void;
  witness(source: WitnessSource | null): void;
  region(region: string, verdict: RegionView['verdict'], note: string): void;
  refresh(): void;
  /** The next frame is the last one. */
  close(): void;
};

/** A store for one run of `plan`. */
export function createRunStore(plan: Plan, now: () => number): RunStore {
  const listeners = new Set<() => void>();
  const held: {view: RunView; source: WitnessSource | null} = {view: firstView(plan), source: null};
  const actions = new Map([...plan.steps, ...plan.always].map((step) => [step.id, step]));
  const set = (view: RunView) => {
    if (view === held.view) return;
    held.view = view;
    for (const listener of listeners) listener();
  };
  return {
    now,
    getSnapshot: () => held.view,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    event(event) {
      const stepped = withEvent(held.view, event);
      const step = event.type === 'result' && event.step !== null ? actions.get(event.step) : undefined;
      set(step === undefined ? stepped : withResult(stepped, step, resultOf(event), event.at));
    },
    witness(source) {
      held.source = source;
      if (source === null) set({...held.view, witness: held.view.witness === null ? null : {...held.view.witness, writing: false}});
    },
    region: (region, verdict, note) => set(withRegion(held.view, {region, verdict, note, at: now()})),
    refresh() {
      if (held.source !== null) set({...held.view, witness: liveWitness(held.source, held.view.witness)});
    },
    close: () => set({...held.view, closed: true}),
  };
}

function firstView(plan: Plan): RunView {
  const way = plan.from === null && plan.to === null ? '' : `  ${plan.from ?? '?'} → ${plan.to ?? '?'}`;
  return {
    title: `${plan.kind}${plan.drill === null ? '' : ` ${plan.drill}`}${way}`,
    startedAt: null,
    endedAt: null,
    outcome: null,
    reason: null,
    regions: Object.entries(plan.snapshot.regions).map(([region, cell]) => ({
      region,
      verdict: cell.known ? cell.value.verdict : 'unknown',
      note: cell.known ? cell.value.reason : cell.reason,
      at: cell.at,
    })),
    steps: [...plan.steps, ...plan.always].map(({id, phase, title, do: call}) => ({
      prompts: promptsOf(call),
      id,
      phase,
      title,
      status: 'pending',
      startedAt: null,
      endedAt: null,
      detail: null,
    })),
    witness: null,
    interrupted: null,
    closed: false,
  };
}

function promptsOf({action, args}: Step['do']): StepView['prompts'] {
  if (action !== 'reaction.person' || typeof args !== 'object' || args === null || Array.isArray(args)) return null;
  const {prompts, withinMs} = args as {readonly prompts?: unknown; readonly withinMs?: unknown};
  return Array.isArray(prompts) ? {lines: prompts.map(String), withinMs: Number(withinMs)} : null;
}

function withEvent(view: RunView, event: JournalEvent): RunView {
  const begun = view.startedAt === null ? {...view, startedAt: event.at} : view;
  if (event.type === 'run-ended') return {...begun, endedAt: event.at, outcome: textOf(event, 'outcome'), reason: textOf(event, 'reason')};
  if (event.type === 'resumed') return {...begun, endedAt: null, outcome: null, reason: null};
  const note = noteOf(event);
  if (note !== undefined) return {...begun, interrupted: note};
  const change = event.step === null ? null : stepChange(event);
  if (change === null) return begun;
  return {...begun, steps: begun.steps.map((step) => (step.id === event.step ? {...step, ...change} : step))};
}

/** What the last line says until something else happens: what the run waits for, or who told it to stop. undefined = it stays as it is. */
function noteOf(event: JournalEvent): string | null | undefined {
  switch (event.type) {
    case 'interrupted':
    case 'approval-asked':
    case 'note':
      return textOf(event, 'says');
    case 'approved':
    case 'rejected':
      return `${event.type} by ${textOf(event, 'by') ?? 'somebody'}`;
    case 'abort-asked':
      return `${textOf(event, 'by') ?? 'somebody'} told it to stop`;
    default:
      return undefined;
  }
}

function stepChange(event: JournalEvent): Partial<StepView> | null {
  const ended = (status: StepStatus) => ({status, endedAt: event.at, detail: textOf(event, 'says')});
  switch (event.type) {
    case 'step-started':
      return {status: 'running', startedAt: event.at, endedAt: null, detail: null};
    case 'result':
      return ended('done');
    case 'step-skipped':
      return ended('skipped');
    case 'step-failed':
    case 'undo-failed':
      return ended('failed');
    case 'undo-result':
      return ended('undone');
    case 'step-lost':
    case 'step-blocked':
      return {status: 'pending', startedAt: null, endedAt: null, detail: textOf(event, 'says')};
    default:
      return null;
  }
}

/** What a result says beside "done": the region that was lost, and what the witness read back. */
function withResult(view: RunView, {do: {action, target}}: Step, result: Readonly<Record<string, unknown>>, at: number): RunView {
  if (action === 'health.await' && target.region !== undefined && isVerdict(result.verdict)) {
    const note = typeof result.says === 'string' ? result.says : '';
    return withRegion(view, {region: target.region, verdict: result.verdict, note, at});
  }
  if (action !== 'witness.stop') return view;
  const number = (name: string) => (typeof result[name] === 'number' ? result[name] : null);
  return {
    ...view,
    witness: {
      acknowledged: number('acknowledged') ?? 0,
      unanswered: (number('failed') ?? 0) + (number('unknown') ?? 0),
      longestGapMs: number('longestGapMs'),
      sinceLastAckMs: null,
      lost: number('lostWrites'),
      writing: false,
    },
  };
}

function withRegion(view: RunView, next: RegionView): RunView {
  const known = view.regions.some(({region}) => region === next.region);
  return {...view, regions: known ? view.regions.map((one) => (one.region === next.region ? next : one)) : [...view.regions, next]};
}

function liveWitness(source: WitnessSource, before: WitnessView | null): WitnessView {
  const {acknowledged, failed, unknown, longestGapMs, sinceLastAckMs} = source.snapshot();
  return {acknowledged, unanswered: failed + unknown, longestGapMs, sinceLastAckMs, lost: before?.lost ?? null, writing: true};
}

function resultOf(event: JournalEvent): Readonly<Record<string, unknown>> {
  const data: unknown = event.data;
  const result: unknown = typeof data === 'object' && data !== null && 'result' in data ? data.result : null;
  return typeof result === 'object' && result !== null ? {...result} : {};
}

function textOf(event: JournalEvent, name: string): string | null {
  const data: Readonly<Record<string, unknown>> = typeof event.data === 'object' && event.data !== null ? {...event.data} : {};
  const value = data[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

function isVerdict(value: unknown): value is RegionVerdict {
  return value === 'healthy' || value === 'degraded' || value === 'unhealthy' || value === 'recovering';
}
