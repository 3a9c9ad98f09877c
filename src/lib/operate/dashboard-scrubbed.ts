import type {EndpointNow} from '../health/monitor.ts';
import type {AgedCell, DashboardRegion, DashboardView} from './dashboard-view.ts';
import type {LinkNow} from './lag-watch.ts';
import {scrubbed} from './scrubbed.ts';

type Scrub = (text: string) => string;

/**
 * A picture without secrets: whoever answers, a plugin most of all, may not know that what it repeats is one. Only what others have worded is looked through, as this
 * is done for every frame: reasons, and nothing that is a name or a number. Events have been, when they were told.
 */
export function withoutSecrets(view: DashboardView, scrub: Scrub): DashboardView {
  const links = view.links.map((link): LinkNow => ({...link, row: {...link.row, reason: scrub(link.row.reason)}}));
  const endpoints = view.endpoints.map((each) => endpoint(each, scrub));
  return {
    ...view,
    regions: view.regions.map((each) => region(each, scrub)),
    links,
    endpoints,
    run: scrubbed(view.run, scrub),
    runs: scrubbed(view.runs, scrub),
    notes: view.notes.map(scrub),
    health: {
      ...view.health,
      endpoints,
      notes: view.health.notes.map(scrub),
      regions: view.health.regions.map((each) => (each.verdict === null ? each : {...each, reason: scrub(each.reason)})),
      changes: view.health.changes.map((change) => ({...change, reason: scrub(change.reason)})),
    },
    lag: {
      ...view.lag,
      links,
      notes: view.lag.notes.map(scrub),
      unread: view.lag.unread.map((each) => ({...each, reason: scrub(each.reason)})),
      changes: view.lag.changes.map((change) => ({...change, reason: scrub(change.reason)})),
    },
  };
}

function region(each: DashboardRegion, scrub: Scrub): DashboardRegion {
  const why = (text: string | null): string | null => (text === null ? null : scrub(text));
  const cell = <T>({value, at, why: reason}: AgedCell<T>): AgedCell<T> => ({value: scrubbed(value, scrub), at, why: why(reason)});
  return {
    ...each,
    reason: scrub(each.reason),
    traffic: each.traffic.map((row) => ({...row, why: why(row.why)})),
    roles: each.roles.map((row) => ({...row, why: why(row.why)})),
    lag: each.lag === null ? null : {...each.lag, row: {...each.lag.row, reason: scrub(each.lag.row.reason)}},
    loss: cell(each.loss),
    ready: cell(each.ready),
    headroom: cell(each.headroom),
  };
}

function endpoint(each: EndpointNow, scrub: Scrub): EndpointNow {
  if (each.judged === null) return each;
  const {reading, reason} = each.judged;
  const {result, others} = reading;
  const [clean, own] = [scrub(reason), scrubbed(result, scrub)];
  // Most say nothing that has to be taken out.
  if (others === undefined && clean === reason && own === result) return each;
  const seen = others?.map((view) => ({...view, result: scrubbed(view.result, scrub)}));
  const read = {...reading, result: own, ...(seen === undefined ? {} : {others: seen})};
  return {...each, judged: {...each.judged, reason: clean, reading: read}};
}
