import type {OpenFleet} from '../providers/open-fleet.ts';
import {readCurrent} from './collect.ts';
import type {LimitNow} from './dashboard-view.ts';
import {type SeriesQuestion, seriesQuestions} from './series-questions.ts';

/** What can be told apart by region and has a limit; empty = the fleet file says nothing of the kind. */
export function limitedQuestions(open: OpenFleet): readonly SeriesQuestion[] {
  if ((open.fleet.capacity?.series ?? []).length === 0) return [];
  return seriesQuestions(open.fleet, {}, 'collect').filter((question) => question.place !== null && limitOf(question) !== null);
}

const limitOf = ({place}: SeriesQuestion): number | null => place?.limit ?? null;

/** What is left of each limit now; of one without a current value it is not known, with the reason. Throws with the first reason where none at all is. */
export async function headroomNow(
  open: OpenFleet,
  questions: readonly SeriesQuestion[],
  signal: AbortSignal,
): Promise<readonly LimitNow[]> {
  const rows = await readCurrent(open, questions, {now: open.clock.wall(), signal});
  const limits = rows.flatMap(({series, region, unit, value, at, reason}, index): readonly LimitNow[] => {
    const limit = limitOf(questions[index] as SeriesQuestion);
    if (region === null || limit === null) return [];
    if (value === null || at === null) return [{series, region, left: null, reason}];
    return [{series, region, value, limit, unit, left: (100 * (limit - value)) / limit, at: Date.parse(at)}];
  });
  const [first] = limits;
  if (first?.left === null && limits.every(({left}) => left === null)) throw new Error(first.reason);
  return limits;
}
