import type {OpenFleet} from '../providers/open-fleet.ts';
import {readCurrent} from './collect.ts';
import type {Headroom} from './dashboard-view.ts';
import {type SeriesQuestion, seriesQuestions} from './series-questions.ts';

/** What can be told apart by region and has a limit; empty = the fleet file says nothing of the kind. */
export function limitedQuestions(open: OpenFleet): readonly SeriesQuestion[] {
  if ((open.fleet.capacity?.series ?? []).length === 0) return [];
  return seriesQuestions(open.fleet, {}, 'collect').filter((question) => question.place !== null && limitOf(question) !== null);
}

const limitOf = ({place}: SeriesQuestion): number | null => place?.limit ?? null;

/** What is left of each limit now. A series without a current value is left out; none at all throws with the first reason. */
export async function headroomNow(
  open: OpenFleet,
  questions: readonly SeriesQuestion[],
  signal: AbortSignal,
): Promise<readonly Headroom[]> {
  const rows = await readCurrent(open, questions, {now: open.clock.wall(), signal});
  const found = rows.flatMap(({series, region, unit, value, at}, index): readonly Headroom[] => {
    const limit = limitOf(questions[index] as SeriesQuestion);
    if (region === null || value === null || at === null || limit === null || limit === 0) return [];
    return [{series, region, value, limit, unit, left: (100 * (limit - value)) / limit, at: Date.parse(at)}];
  });
  const missing = rows.find(({value}) => value === null);
  if (found.length === 0 && missing !== undefined) throw new Error(missing.reason);
  return found;
}
