import type {ProbeResult} from '../ports/probe.ts';

/** What another vantage point said of an endpoint. `sees` says how much of it: see Viewer. */
export type OtherView = {
  readonly vantage: string;
  readonly region: string | null;
  readonly sees: 'status' | 'reach';
  readonly result: ProbeResult;
  /** How often it was asked. */
  readonly attempts: number;
};

/**
 * A count of votes. Each vantage point has one, but all that stand in one region have one between them: what the majority of them says. `mute` = those
 * that could not tell. `need` = more than half of all, so that two majorities cannot exist.
 */
export type Votes = {readonly good: number; readonly bad: number; readonly mute: number; readonly of: number; readonly need: number};

/** Failures that come from the way to an endpoint as well as from the endpoint. */
export const CONNECTION_CODES: ReadonlySet<string> = new Set(['timeout', 'refused', 'reset', 'unreachable', 'dns']);

/** Whether a failure says that no answer came at all, rather than a wrong one. */
export const isOnTheWay = ({ok, code}: Pick<ProbeResult, 'ok' | 'code'>): boolean => ok === false && CONNECTION_CODES.has(code);

/**
 * Counts who finds the endpoint good. Who sees less than what we found wrong has no say in it: whether a server has the wrong role cannot be told by
 * whoever only sees that it accepts connections.
 */
export function countVotes(own: ProbeResult, others: readonly OtherView[]): Votes {
  const groups = Map.groupBy(others.filter(couldTell(own)), ({vantage, region}) => region ?? `vantage ${vantage}`);
  const votes = [own.ok, ...[...groups.values()].map(majority)];
  const good = votes.filter((vote) => vote === true).length;
  const bad = votes.filter((vote) => vote === false).length;
  return {good, bad, mute: votes.length - good - bad, of: votes.length, need: Math.floor(votes.length / 2) + 1};
}

function couldTell(own: ProbeResult): (view: OtherView) => boolean {
  if (own.ok !== false || isOnTheWay(own)) return () => true;
  return ({sees, result}) => sees === 'status' && (own.code === 'unexpected-status' || result.ok === false);
}

/** The vote of a region's vantage points; null = none of them can tell, or they are split evenly. */
function majority(views: readonly OtherView[]): boolean | null {
  const balance = views.reduce((sum, {result}) => sum + (result.ok === null ? 0 : result.ok ? 1 : -1), 0);
  return balance === 0 ? null : balance > 0;
}
