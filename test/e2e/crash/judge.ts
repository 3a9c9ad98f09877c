import {isDeepStrictEqual} from 'node:util';
import type {Cycle} from './cycle.ts';
import type {EndState} from './end-state.ts';
import type {Point} from './points.ts';

/** What is wrong with a cycle, compared with one that nobody disturbed; empty = nothing. */
export function problemsOf(found: Cycle, reference: EndState, point: Point | null): readonly string[] {
  const problems: string[] = [];
  const say = (holds: boolean, text: string) => holds || problems.push(text);
  // A run that had written its last line has ended well, and there is nothing to resume.
  const over = point?.moment === 'run-ended';
  say(point === null || found.died.signal === 'SIGKILL', `it was not killed: ${found.died.status} ${found.died.stderr}`);
  const wellEnded = point === null && found.resumed.stdout.includes('"run-ended"') ? [77] : [0, 1]; // 1: the old primary was left unguarded
  say((over ? [77] : wellEnded).includes(found.resumed.status ?? -1), `resume ended with ${found.resumed.status}: ${found.resumed.stdout}`);
  say(found.outcome === 'succeeded', `outcome ${found.outcome}`);
  say(found.listed === 'succeeded', `listed as ${found.listed}`);
  say(found.lost.length === 0, `lost ${found.lost.join(', ')}`);
  say(found.doubled.length === 0, `twice ${found.doubled.join(', ')}`);
  say(isDeepStrictEqual(found.state, reference), `another end: ${difference(found.state, reference)}`);
  return problems;
}

/** Where two things differ, in words. */
export function difference(found: unknown, wanted: unknown, path = ''): string {
  if (isDeepStrictEqual(found, wanted)) return '';
  if (!isRecord(found) || !isRecord(wanted)) return `${path} is ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}; `;
  const keys = new Set([...Object.keys(found), ...Object.keys(wanted)]);
  return [...keys].map((key) => difference(found[key], wanted[key], `${path}/${key}`)).join('');
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
