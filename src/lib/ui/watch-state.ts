import type {EndpointNow, MonitorView} from '../health/monitor.ts';
import {isWorse} from '../health/verdict.ts';
import {firstState, type List, type ListState, shownRows} from './list-state.ts';

/** The orders of the list: as the fleet file has it, worst verdict, highest latency, oldest answer first. */
export type Sort = 'file' | 'worst' | 'slowest' | 'oldest';

/** What the reader has chosen. */
export type WatchState = ListState<MonitorView, Sort>;

/** The key of an endpoint. */
export const keyOf = ({region, name}: Pick<EndpointNow, 'region' | 'name'>): string => `${region}/${name}`;

/** The endpoints as a list. */
export const ENDPOINTS: List<MonitorView, EndpointNow, Sort> = {
  all: ({endpoints}) => endpoints,
  keyOf,
  textOf: ({region, name, probe, judged}) =>
    `${region}/${name} ${probe} ${judged?.verdict ?? 'not asked'} ${judged?.code ?? ''} ${judged?.reason ?? ''}`,
  sorts: ['file', 'worst', 'slowest', 'oldest'],
  orders: {
    worst: byVerdict,
    slowest: (a, b) => latencyOf(b) - latencyOf(a),
    oldest: (a, b, {at}) => ageMs(b, at) - ageMs(a, at),
  },
};

/** Everything, in the order of the file. */
export const FIRST_STATE: WatchState = firstState(ENDPOINTS);

/** The endpoints that are shown, in their order. */
export function rowsOf(view: MonitorView, chosen: Pick<WatchState, 'filter' | 'sort'>): readonly EndpointNow[] {
  return shownRows(ENDPOINTS, view, chosen);
}

/** How long ago it was last answered or found silent, in ms; Infinity = never asked. */
export function ageMs({judged}: EndpointNow, at: number): number {
  return judged === null ? Number.POSITIVE_INFINITY : Math.max(0, at - judged.reading.at);
}

function byVerdict(a: EndpointNow, b: EndpointNow): number {
  if (a.judged === null || b.judged === null) return (a.judged === null ? 1 : 0) - (b.judged === null ? 1 : 0);
  if (a.judged.verdict === b.judged.verdict) return 0;
  return isWorse(a.judged.verdict, b.judged.verdict) ? -1 : 1;
}

function latencyOf({judged}: EndpointNow): number {
  return judged?.reading.result.latencyMs ?? -1;
}
