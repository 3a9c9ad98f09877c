import type {RegionJudgement} from './judge.ts';
import type {EndpointJudgement} from './judge-endpoint.ts';
import type {EndpointReading} from './sweep.ts';

/**
 * What is remembered of a region between two looks that count: which reading was the last then, and which endpoints were down while the region was:
 * its recovery is theirs.
 */
export type Counted = {readonly since: number; readonly suspects: ReadonlySet<string>};

/** Nothing has counted yet. */
export const UNCOUNTED: Counted = {since: Number.NEGATIVE_INFINITY, suspects: new Set()};

/**
 * Whether a judgement is a look of its own, or the same look seen once more: endpoints are asked at their own pace, and each of them has the region
 * judged anew. It counts as a failure when one that makes the region unhealthy was asked since the last count, and as a recovery when all those were
 * that had been down. What is unknown counts as nothing, so it always may.
 */
export function isNewLook({verdict, endpoints}: RegionJudgement, {since, suspects}: Counted): boolean {
  if (verdict === 'unknown') return true;
  const isNew = ({reading}: EndpointJudgement): boolean => orderOf(reading) > since;
  if (verdict === 'unhealthy') return decidersOf(endpoints).some(isNew);
  const down = endpoints.filter(({reading}) => suspects.has(reading.endpoint.name));
  return down.length > 0 ? down.every(isNew) : endpoints.some(isNew);
}

/** After a judgement that counted, with the state that it led to. */
export function afterLook({endpoints, verdict}: RegionJudgement, {suspects}: Counted, state: string): Counted {
  const since = endpoints.reduce((latest, {reading}) => Math.max(latest, orderOf(reading)), Number.NEGATIVE_INFINITY);
  if (verdict === 'unhealthy') return {since, suspects: new Set([...suspects, ...decidersOf(endpoints).map(nameOf)])};
  return {since, suspects: state === 'recovering' || verdict === 'unknown' ? suspects : new Set()};
}

/** Those that make a region unhealthy: its critical endpoints that are down, or all when none of these is. */
function decidersOf(endpoints: readonly EndpointJudgement[]): readonly EndpointJudgement[] {
  const down = endpoints.filter(({verdict}) => verdict === 'unhealthy');
  const critical = down.filter(({reading}) => reading.endpoint.critical);
  return critical.length > 0 ? critical : down;
}

const nameOf = ({reading}: EndpointJudgement): string => reading.endpoint.name;

/** By their numbers: clocks are set back, and some readings are put together later than they were made. */
const orderOf = ({order = 0}: EndpointReading): number => order;
