import type {DrillDocument} from '../drill/report.ts';
import {type Block, type BlockCell, type Said, type Tone, tookMs} from './drill-words.ts';
import {formatBytes, formatMs, formatTime, NOT_MEASURED} from './units.ts';

/** Every gate with what was measured, and who passed one that was shut, and why. */
export function gatesBlock({gates, overrides}: DrillDocument): Block {
  const rows = gates.map(({id, verdict, says, overridden, overridable}): BlockCell[] => {
    const passed = verdict !== 'pass' && overridden && overridable;
    const word: Said = passed ? {text: 'overridden', tone: 'warning'} : {text: verdict, tone: GATE[verdict]};
    const why = overrides.filter(({gate}) => gate === id).map(({by, reason}) => `passed by ${by}: ${reason}`);
    return [id, word, [says, ...why].filter((text) => text !== '').join('; ')];
  });
  const heads = [{text: 'Gate'}, {text: 'Verdict'}, {text: 'Says'}];
  return {id: 'gates', title: 'Gates and overrides', says: [], list: [], table: {heads, rows}};
}

const GATE: Readonly<Record<DrillDocument['gates'][number]['verdict'], Tone>> = {pass: 'good', refuse: 'bad', unknown: 'unknown'};

/** Steps that waited for people, and what they said. */
export function approvalBlock({approvals, steps}: DrillDocument): Block {
  const tones: Readonly<Record<string, Tone>> = {approved: 'good', rejected: 'bad', expired: 'bad', waiting: 'unknown'};
  const rows = approvals.map(({step, approvers, verdict, votes}): BlockCell[] => [
    steps.find(({id}) => id === step)?.title ?? step,
    String(approvers),
    {text: verdict ?? 'not asked', tone: tones[verdict ?? ''] ?? 'muted'},
    votes
      .map((vote) => `${vote.verdict} by ${vote.by}${vote.reason === null ? '' : ` (${vote.reason})`}, ${formatTime(vote.at)}`)
      .join('; '),
  ]);
  const heads = [{text: 'Step'}, {text: 'People asked', end: true as const}, {text: 'Result'}, {text: 'Votes'}];
  return {id: 'approvals', title: 'Approvals', says: [], list: [], table: {heads, rows}};
}

/** Runs before and after the drill, that brought the fleet to where it starts from, and back. */
export function besideBlock({beside}: DrillDocument): Block {
  const rows = beside.map(({when, kind, runId, outcome, says, startedAt, endedAt}): BlockCell[] => [
    `${kind} ${when} the drill`,
    {text: outcome, tone: outcome === 'succeeded' ? 'good' : 'bad'},
    formatTime(startedAt),
    formatMs(tookMs({startedAt, endedAt})),
    runId === null ? NOT_MEASURED : {text: runId, code: true},
    says,
  ]);
  const heads = [{text: 'Run'}, {text: 'Outcome'}, {text: 'Started'}, {text: 'Took', end: true as const}, {text: 'Id'}, {text: 'Says'}];
  return {id: 'beside', title: 'Runs before and after the drill', says: [], list: [], table: {heads, rows}};
}

/** Files that were kept, with their digests. */
export function evidenceBlock({evidence}: DrillDocument): Block {
  const rows = evidence.map(({name, file, bytes, sha256}): BlockCell[] => [
    name,
    {text: file, code: true},
    formatBytes(bytes),
    {text: sha256, code: true},
  ]);
  const heads = [{text: 'Evidence'}, {text: 'File'}, {text: 'Size', end: true as const}, {text: 'SHA-256'}];
  return {id: 'evidence', title: 'Evidence that was kept', says: [], list: [], table: {heads, rows}};
}
