import {isWorse, type Verdict} from '../health/verdict.ts';
import type {DashboardEvent, DashboardRegion, DashboardView} from '../operate/dashboard-view.ts';
import type {RunSummary} from '../operate/runs.ts';
import type {List} from './list-state.ts';

/** The orders of regions: as the fleet file has them, worst verdict, furthest behind, most traffic first. */
export type RegionSort = 'file' | 'worst' | 'lag' | 'traffic';

/** The regions as a list. */
export const REGIONS: List<DashboardView, DashboardRegion, RegionSort> = {
  all: ({regions}) => regions,
  keyOf: ({region}) => region,
  textOf: ({region, jurisdiction, verdict, reason, roles}) =>
    `${region} ${jurisdiction} ${verdict ?? 'asking'} ${reason} ${roles.map(({store, member, role}) => `${store} ${member} ${role ?? 'unknown'}`).join(' ')}`,
  sorts: ['file', 'worst', 'lag', 'traffic'],
  orders: {
    worst: (a, b) => (a.verdict === b.verdict ? 0 : isWorse(verdictOf(a), verdictOf(b)) ? -1 : 1),
    lag: (a, b) => descending(lagOf(a), lagOf(b)),
    traffic: (a, b) => descending(shareOf(a), shareOf(b)),
  },
};

const verdictOf = ({verdict}: DashboardRegion): Verdict => verdict ?? 'unknown';
/** Of a link that is not known the lag may be any; a region without a link has none. */
const lagOf = ({lag}: DashboardRegion): number => (lag === null ? -1 : (lag.row.seconds ?? Number.POSITIVE_INFINITY));
const shareOf = ({traffic}: DashboardRegion): number => Math.max(-1, ...traffic.map(({share}) => share ?? -1));
/** Infinity less infinity is no number. */
const descending = (a: number, b: number): number => (a === b ? 0 : a > b ? -1 : 1);

/** Runs: newest first. */
export const RUNS: List<DashboardView, RunSummary, 'newest'> = {
  all: ({runs}) => runs,
  keyOf: ({runId}) => runId,
  textOf: ({runId, kind, from, to, outcome, reason}) => `${runId} ${kind} ${from ?? ''} ${to ?? ''} ${outcome} ${reason ?? ''}`,
  sorts: ['newest'],
  orders: {},
};

/** Events: newest first. */
export const EVENTS: List<DashboardView, DashboardEvent, 'newest' | 'oldest'> = {
  all: ({events}) => events,
  keyOf: ({seq}) => String(seq),
  textOf: ({kind, text}) => `${kind} ${text}`,
  sorts: ['newest', 'oldest'],
  orders: {newest: (a, b) => b.seq - a.seq},
};
