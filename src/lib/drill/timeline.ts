import type {Plan} from '../plan/plan.ts';
import type {StepRow} from '../plan/plan-document.ts';
import type {JournalEvent} from '../ports/state.ts';
import type {RunDocument} from '../run/document.ts';
import {type RunEvent, readEvent} from '../run/events.ts';
import type {FaultRow, StoreWitnessRow, TimelineRow, WitnessRow} from './report.ts';

/** What a time line is drawn from. */
export type TimelineInput = {
  readonly run: RunDocument;
  readonly plan: Plan;
  readonly events: readonly JournalEvent[];
  readonly faults: readonly FaultRow[];
  readonly witness: WitnessRow | null;
  readonly stores: readonly StoreWitnessRow[];
};

/** Steps of a phase that follow one another this closely are one span. */
const TOGETHER_MS = 250;

/** The spans and instants of a drill by lane (faults, gaps, phases, events), each lane in the order of time. Empty as long as it has not begun. */
export function timelineOf(input: TimelineInput): TimelineRow[] {
  const start = Date.parse(input.run.startedAt ?? '');
  if (Number.isNaN(start)) return [];
  const end = Math.max(start, Date.parse(input.run.endedAt ?? '') || (input.events.at(-1)?.at ?? start));
  const row = (lane: TimelineRow['lane'], tone: TimelineRow['tone'], title: string, from: number, to: number | null): TimelineRow => ({
    ms: Math.max(0, from - start),
    endMs: to === null ? null : Math.max(0, Math.max(from, to) - start),
    lane,
    title,
    tone,
  });
  const lanes = [faultSpans(input, row, end), gapSpans(input, row), phaseSpans(input, row, end), instants(input, row)];
  return lanes.flatMap((rows) => rows.toSorted((a, b) => a.ms - b.ms));
}

type Row = (lane: TimelineRow['lane'], tone: TimelineRow['tone'], title: string, from: number, to: number | null) => TimelineRow;

/** A fault whose end is not proven may still be there: it reaches to the end. */
function faultSpans({faults}: TimelineInput, row: Row, end: number): TimelineRow[] {
  return faults.map(({fault, region, injectedAt, healedAt, provenHealed}) => {
    const title = `${fault} on ${region}${provenHealed ? '' : ', not proven healed'}`;
    return row('fault', provenHealed ? 'neutral' : 'bad', title, Date.parse(injectedAt), healedAt === null ? end : Date.parse(healedAt));
  });
}

function gapSpans({witness, stores}: TimelineInput, row: Row): TimelineRow[] {
  const gap = (title: string, of: WitnessRow | null): TimelineRow[] =>
    of === null || of.gapFrom === null || of.gapTo === null ? [] : [row('gap', 'bad', title, Date.parse(of.gapFrom), Date.parse(of.gapTo))];
  return [
    ...gap('no write accepted at the front door', witness),
    ...stores.flatMap(({store, all, twoWriters: two}) => [
      ...gap(`no write accepted by ${store}`, all),
      ...(two === null ? [] : [row('gap', 'bad', `two writers in ${store}`, Date.parse(two.from), Date.parse(two.from) + two.ms)]),
    ]),
  ];
}

type Span = {from: number; to: number; failed: boolean};

function phaseSpans({run}: TimelineInput, row: Row, end: number): TimelineRow[] {
  const phases = [...new Set(run.steps.map(({phase}) => phase))];
  return phases.flatMap((phase) =>
    spansOf(
      run.steps.filter((step) => step.phase === phase),
      end,
    ).map(({from, to, failed}) => row('phase', failed ? 'bad' : 'neutral', phase, from, to)),
  );
}

function spansOf(steps: readonly StepRow[], end: number): Span[] {
  const ran = steps
    .flatMap(({startedAt, endedAt, status}): Span[] => {
      if (startedAt === null) return [];
      return [{from: Date.parse(startedAt), to: endedAt === null ? end : Date.parse(endedAt), failed: status === 'failed'}];
    })
    .toSorted((a, b) => a.from - b.from);
  const spans: Span[] = [];
  for (const span of ran) {
    const last = spans.at(-1);
    if (last === undefined || span.from - last.to > TOGETHER_MS) spans.push({...span});
    else Object.assign(last, {to: Math.max(last.to, span.to), failed: last.failed || span.failed});
  }
  return spans;
}

function instants({plan, events}: TimelineInput, row: Row): TimelineRow[] {
  return events.flatMap((line) => {
    const said = saidOf(readEvent(line), plan);
    return said === null ? [] : [row('event', said[0], said[1], line.at, null)];
  });
}

/** What a reader should find on the line: decisions of people, and whatever did not go straight. */
function saidOf(event: RunEvent, plan: Plan): readonly [TimelineRow['tone'], string] | null {
  const step = [...plan.steps, ...plan.always].find(({id}) => id === event.step);
  const title = step?.title ?? event.step ?? '';
  switch (event.type) {
    case 'step-started':
      return event.data.attempt > 1 ? ['neutral', `tried again: ${title}`] : null;
    case 'result':
      return step?.pivot === true ? ['good', `done: ${title}`] : null;
    case 'step-failed':
      return ['bad', `failed: ${title}`];
    case 'step-lost':
      return ['neutral', `to be done again: ${title}`];
    case 'undo-result':
      return ['neutral', `undone: ${title}`];
    case 'undo-failed':
      return ['bad', `not undone: ${title}`];
    case 'approval-asked':
      return ['neutral', `approval asked for: ${title}`];
    case 'approved':
      return ['good', `approved by ${event.data.by}: ${title}`];
    case 'rejected':
      return ['bad', `rejected by ${event.data.by}: ${title}`];
    case 'approval-expired':
      return ['bad', `approval ran out: ${title}`];
    case 'abort-asked':
      return ['bad', `abort asked for by ${event.data.by}`];
    case 'interrupted':
      return ['bad', 'interrupted'];
    case 'resumed':
      return ['neutral', `resumed by ${event.data.by}`];
    default:
      return null;
  }
}
