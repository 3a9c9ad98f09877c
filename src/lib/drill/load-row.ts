import {formatMs} from '../output/units.ts';
import {type LoadFigures, loadFigures, type PartFigures} from '../witness/load-figures.ts';
import {LOAD_PHASES, type LoadEnd, type LoadLog} from '../witness/load-log.ts';
import type {LoadObjectiveRow, LoadPart, LoadRow} from './report.ts';

const WORDS: Readonly<Record<Exclude<LoadEnd, 'ok'>, string>> = {
  status: 'a wrong status',
  refused: 'connection refused',
  reset: 'connection broke',
  deadline: 'no answer in time',
  other: 'other trouble',
  error: 'error',
};
/* How many texts of errors are named. */
const MOST_TEXTS = 3;

/** What `load.stop` leaves in the journal; null = no load ever ran. Pure. */
export function loadRow(log: LoadLog): LoadRow | null {
  const [first] = log.sessions;
  if (first === undefined) return null;
  const figures = loadFigures(log);
  return {
    kind: first.kind,
    says: sentences(log, figures).join('. '),
    before: partOf(figures.before),
    during: partOf(figures.during),
    after: partOf(figures.after),
  };
}

/**
 * Judges objectives of the load: kept when the measured figure is not above the target. Null = not measured, or not in all of the part, which is neither.
 * Pure.
 */
export function judgeLoad(
  objectives: readonly Pick<LoadObjectiveRow, 'phase' | 'kind' | 'target'>[],
  row: LoadRow | null,
): LoadObjectiveRow[] {
  return objectives.map(({phase, kind, target}) => {
    const part = row?.[phase] ?? null;
    const measured = (kind === 'p95' ? part?.p95Ms : part?.errorRate) ?? null;
    const kept = measured !== null && measured <= target;
    const isOpen = measured === null || (kept && part?.whole === false);
    return {kind, phase, target, measured, met: isOpen ? null : kept};
  });
}

function partOf({byEnd: _, ...part}: PartFigures): LoadPart {
  return part;
}

function sentences(log: LoadLog, figures: LoadFigures): string[] {
  return [
    `${[...new Set(log.sessions.map(({what}) => what))].join('; then ')}: ${counted(figures.all.requests, 'request')}`,
    ...LOAD_PHASES.flatMap((phase) => errorsOf(phase, figures[phase], log)),
    ...clockOf(log),
    ...ownDoing(figures),
    ...holesOf(figures),
    ...log.sessions.flatMap(({gone}) => (gone === null ? [] : [`it was not stopped: ${gone}`])),
    ...unfitOf(log),
  ];
}

function errorsOf(phase: (typeof LOAD_PHASES)[number], {byEnd}: PartFigures, log: LoadLog): string[] {
  if (byEnd.length === 0) return [];
  const classes = byEnd.map(({end, count}) => {
    const texts = textsOf(log.requests.filter((request) => request.phase === phase && request.end === end).map(({text = ''}) => text));
    return `${count} × ${WORDS[end]}${texts === '' ? '' : ` (${texts})`}`;
  });
  return [`errors ${phase} the fault: ${classes.join(', ')}`];
}

/** The commonest first. */
function textsOf(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) if (text !== '') counts.set(text, (counts.get(text) ?? 0) + 1);
  const names = [...counts].sort(([, a], [, b]) => b - a).map(([text]) => text);
  return [...names.slice(0, MOST_TEXTS), ...(names.length > MOST_TEXTS ? ['…'] : [])].join(', ');
}

function clockOf({sessions}: LoadLog): string[] {
  return sessions.some(({kind}) => kind === 'built-in') ? ['times count from when a request should have left'] : [];
}

function ownDoing({stalls, late, untimed, notJudged}: LoadFigures): string[] {
  const stood =
    stalls.count === 0
      ? []
      : [
          `regionctl stood still ${counted(stalls.count, 'time')} for ${formatMs(stalls.totalMs)} in all: ${late} not sent, ${untimed} not timed`,
        ];
  return [...stood, ...(notJudged === 0 ? [] : [`${counted(notJudged, 'request')} not judged, because regionctl stood still or ended`])];
}

function holesOf({holes}: LoadFigures): string[] {
  return holes.map(({from, to}) =>
    to === null
      ? `nothing is known after ${new Date(from).toISOString()}`
      : `it did not run for ${formatMs(to - from)} from ${new Date(from).toISOString()} on`,
  );
}

function unfitOf({unfit}: LoadLog): string[] {
  if (unfit.count === 0) return [];
  return [`${counted(unfit.count, 'line')} could not be read${unfit.first === null ? '' : `, the first: ${unfit.first}`}`];
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
