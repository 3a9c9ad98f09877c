import type {DrillDocument, EarlierDrill} from './report.ts';

/** The most earlier drills that a report compares with. */
export const MOST_EARLIER = 20;

/**
 * What a report tells of earlier drills, newest first: those of `documents` that are of the same name and fleet, began before `of` and have ended.
 * A drill that was not started measured nothing, so it is left out.
 */
export function earlierDrills(
  documents: readonly Omit<DrillDocument, 'earlier'>[],
  of: Pick<DrillDocument, 'runId' | 'drill' | 'fleet' | 'startedAt'>,
): EarlierDrill[] {
  const before = Date.parse(of.startedAt ?? '') || Number.POSITIVE_INFINITY;
  return documents
    .filter(({runId, drill, fleet}) => runId !== of.runId && drill !== null && drill === of.drill && fleet === of.fleet)
    .filter(({verdictCode}) => verdictCode !== 'not-started' && verdictCode !== 'not-ended')
    .flatMap((document) =>
      document.startedAt === null || Date.parse(document.startedAt) >= before ? [] : [rowOf(document, document.startedAt)],
    )
    .toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at))
    .slice(0, MOST_EARLIER);
}

function rowOf({runId, verdict, verdictCode, measured, phases}: Omit<DrillDocument, 'earlier'>, at: string): EarlierDrill {
  return {runId, at, verdict, verdictCode, writeGapMs: measured.writeGapMs, lostWrites: measured.lostWrites, phases};
}
