import type {RegionJudgement} from './judge.ts';
import type {EndpointJudgement} from './judge-endpoint.ts';
import type {EndpointReading} from './sweep.ts';

/**
 * What is remembered of a region between two looks that count: which reading was the last then, which endpoints were down while the region was (its
 * recovery is theirs), and how many failures in a row have counted.
 */
export type Counted = {readonly since: number; readonly suspects: ReadonlySet<string>; readonly falls: number};

/** Nothing has counted yet. */
export const UNCOUNTED: Counted = {since: Number.NEGATIVE_INFINITY, suspects: new Set(), falls: 0};

/**
 * Tells looks of their own from the same look seen once more: endpoints are asked at their own pace, and each of them has the region judged anew. A
 * failure counts for each one more that the endpoint which failed most often in a row has failed, of those that make the region unhealthy (least often,
 * where it takes all of them): three that fail once each are one failure. A recovery counts when all were asked that had been down. What is unknown counts as nothing, so it always may.
 * `counts` says how often the judgement does; `next` is what to remember, given the state that was led to (null = it did not count).
 */
export function countLook(judged: RegionJudgement, before: Counted): {readonly counts: number; next(state: string | null): Counted} {
  if (judged.verdict === 'unhealthy') return countFailure(judged.endpoints, before);
  const {endpoints, verdict} = judged;
  const counts = verdict === 'unknown' || isNewSuccess(endpoints, before) ? 1 : 0;
  return {
    counts,
    next: (state) => {
      if (state === null) return before;
      const since = latestOf(endpoints);
      if (verdict === 'unknown') return {...before, since};
      return {...UNCOUNTED, since, suspects: state === 'recovering' ? before.suspects : new Set()};
    },
  };
}

function countFailure(endpoints: readonly EndpointJudgement[], before: Counted): ReturnType<typeof countLook> {
  const deciders = decidersOf(endpoints);
  const rows = deciders.map(({reading}) => reading.failures ?? 1);
  // Without a critical one a region is down only when all of it is: it has been so as long as the last of them.
  const most = Math.max(1, deciders.some(({reading}) => reading.endpoint.critical) ? Math.max(...rows) : Math.min(...rows));
  // Who failed longer may be well again: what is left has failed less often.
  const falls = Math.min(before.falls, most);
  return {
    counts: most - falls,
    next: (state) => {
      if (state === null) return {...before, falls};
      // Before the region is down, nobody has to come back.
      const suspects = state === 'unhealthy' ? new Set([...before.suspects, ...deciders.map(nameOf)]) : before.suspects;
      return {since: latestOf(endpoints), suspects, falls: most};
    },
  };
}

function isNewSuccess(endpoints: readonly EndpointJudgement[], {since, suspects}: Counted): boolean {
  const isNew = ({reading}: EndpointJudgement): boolean => orderOf(reading) > since;
  const down = endpoints.filter((each) => suspects.has(nameOf(each)));
  return down.length > 0 ? down.every(isNew) : endpoints.some(isNew);
}

/** Those that make a region unhealthy: its critical endpoints that are down, or all when none of these is. */
function decidersOf(endpoints: readonly EndpointJudgement[]): readonly EndpointJudgement[] {
  const down = endpoints.filter(({verdict}) => verdict === 'unhealthy');
  const critical = down.filter(({reading}) => reading.endpoint.critical);
  return critical.length > 0 ? critical : down;
}

const nameOf = ({reading}: EndpointJudgement): string => reading.endpoint.name;

const latestOf = (endpoints: readonly EndpointJudgement[]): number =>
  endpoints.reduce((latest, {reading}) => Math.max(latest, orderOf(reading)), Number.NEGATIVE_INFINITY);

/** By their numbers: clocks are set back, and some readings are put together later than they were made. */
const orderOf = ({order = 0}: EndpointReading): number => order;
