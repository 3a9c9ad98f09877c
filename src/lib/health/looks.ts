import type {RegionJudgement} from './judge.ts';
import type {EndpointJudgement} from './judge-endpoint.ts';
import type {EndpointReading} from './sweep.ts';

/**
 * What is remembered of a region between two looks that count: which reading was the last then, which endpoints were down while the region was (its
 * recovery is theirs), and how often those that make it unhealthy failed in a row, with how many of these have counted.
 */
export type Counted = {
  readonly since: number;
  readonly suspects: ReadonlySet<string>;
  readonly failing: ReadonlyMap<string, {readonly order: number; readonly times: number}>;
  readonly falls: number;
};

/** Nothing has counted yet. */
export const UNCOUNTED: Counted = {since: Number.NEGATIVE_INFINITY, suspects: new Set(), failing: new Map(), falls: 0};

/**
 * Tells a look of its own from the same look seen once more: endpoints are asked at their own pace, and each of them has the region judged anew. It
 * counts as a failure when one of those that make the region unhealthy has failed more often in a row than has counted: three that fail once each are
 * one failure. It counts as a recovery when all were asked that had been down. What is unknown counts as nothing, so it always may. `counts` says
 * which it is; `next` is what to remember, given the state that was led to (null = it did not count).
 */
export function countLook(judged: RegionJudgement, before: Counted): {readonly counts: boolean; next(state: string | null): Counted} {
  if (judged.verdict === 'unhealthy') return countFailure(judged.endpoints, before);
  const {endpoints, verdict} = judged;
  const counts = verdict === 'unknown' || isNewSuccess(endpoints, before);
  const {suspects} = before;
  return {
    counts,
    next: (state) => {
      if (state === null) return before;
      const since = latestOf(endpoints);
      if (verdict === 'unknown') return {...before, since};
      return {...UNCOUNTED, since, suspects: state === 'recovering' ? suspects : new Set()};
    },
  };
}

function countFailure(endpoints: readonly EndpointJudgement[], before: Counted): ReturnType<typeof countLook> {
  const deciders = decidersOf(endpoints);
  const failing = new Map(
    deciders.map(({reading}) => {
      const last = before.failing.get(reading.endpoint.name);
      const order = orderOf(reading);
      return [reading.endpoint.name, last === undefined ? {order, times: 1} : {order, times: last.times + (order > last.order ? 1 : 0)}];
    }),
  );
  const most = (of: Counted['failing']): number => Math.max(0, ...[...of.values()].map(({times}) => times));
  // Those that failed longer may be well again: what is left has failed less often.
  const left = new Map([...before.failing].filter(([name]) => failing.has(name)));
  const falls = Math.min(before.falls, most(left));
  return {
    counts: most(failing) > falls,
    next: (state) => {
      if (state === null) return {...before, failing, falls};
      const suspects = new Set([...before.suspects, ...failing.keys()]);
      return {since: latestOf(endpoints), suspects, failing, falls: most(failing)};
    },
  };
}

function isNewSuccess(endpoints: readonly EndpointJudgement[], {since, suspects}: Counted): boolean {
  const isNew = ({reading}: EndpointJudgement): boolean => orderOf(reading) > since;
  const down = endpoints.filter(({reading}) => suspects.has(reading.endpoint.name));
  return down.length > 0 ? down.every(isNew) : endpoints.some(isNew);
}

/** Those that make a region unhealthy: its critical endpoints that are down, or all when none of these is. */
function decidersOf(endpoints: readonly EndpointJudgement[]): readonly EndpointJudgement[] {
  const down = endpoints.filter(({verdict}) => verdict === 'unhealthy');
  const critical = down.filter(({reading}) => reading.endpoint.critical);
  return critical.length > 0 ? critical : down;
}

const latestOf = (endpoints: readonly EndpointJudgement[]): number =>
  endpoints.reduce((latest, {reading}) => Math.max(latest, orderOf(reading)), Number.NEGATIVE_INFINITY);

/** By their numbers: clocks are set back, and some readings are put together later than they were made. */
const orderOf = ({order = 0}: EndpointReading): number => order;
