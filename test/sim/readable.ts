import type {History, Told} from './history.ts';

/** A history that went wrong, for people: what was broken, how it can be run again, and what happened, line by line. */
export function readable(history: History, {violations, fleet, runs}: Told): string {
  const lines = fleet.history.filter((line) => !line.includes(' writes gate: '));
  return [
    ...violations.map(({rule, says}) => `${rule}: ${says}`),
    `as JSON: ${JSON.stringify(history)}`,
    ...lines,
    ...runs.map(
      ({process, job, end}) => `${process.name} (${job.kind}): ${end === null ? 'not ended' : `${end.outcome} [${end.code}] ${end.says}`}`,
    ),
  ].join('\n');
}
