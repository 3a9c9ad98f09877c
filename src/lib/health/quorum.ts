import type {ProbeResult} from '../ports/probe.ts';
import type {Viewer} from '../ports/vantage.ts';

/** What another vantage point said of an endpoint. `attempts` = how often it was asked. */
export type OtherView = Pick<Viewer, 'vantage' | 'region' | 'sees' | 'whole'> & {readonly result: ProbeResult; readonly attempts: number};

/**
 * A count of votes. Each vantage point has one, but all that stand in one region have one between them: what the majority of them says. `mute` = those
 * that could not tell. `need` = more than half of all, so that two majorities cannot exist.
 */
export type Votes = {readonly good: number; readonly bad: number; readonly mute: number; readonly of: number; readonly need: number};

/** Failures where nothing came back: from the way to an endpoint as well as from the endpoint. */
const CONNECTION_CODES: ReadonlySet<string> = new Set(['timeout', 'refused', 'reset', 'unreachable', 'dns']);

type Failed = Pick<ProbeResult, 'ok' | 'code' | 'connected'>;

/** Whether nothing was answered at all, rather than something wrong. */
export const isUnanswered = ({ok, code}: Pick<ProbeResult, 'ok' | 'code'>): boolean => ok === false && CONNECTION_CODES.has(code);

type Told = Pick<ProbeResult, 'ok' | 'code' | 'local'>;

/** Whether it shows that the network is there: it answered, well or not, and not only this machine itself. */
export const provesNetwork = (result: Told): boolean => result.ok !== null && !isSilent(result) && result.local !== true;

/** Whether it failed, and our own network may be why: nothing was answered, or what failed was found on this machine. */
export const isSilent = (result: Told): boolean => isUnanswered(result) || (result.ok === false && result.local === true);

/**
 * Whether it failed on the way: not even a connection was accepted. A server that accepts one and then is silent, or closes it, was reached: whoever is
 * not let in at all is refused.
 */
export const isOnTheWay = (result: Failed): boolean => isUnanswered(result) && result.connected !== true && result.code !== 'reset';

/**
 * Counts who finds the endpoint good. Who sees less than what we found wrong has no say in that: whether a server has the wrong role, or is frozen,
 * cannot be told by whoever only sees that it accepts connections.
 */
export function countVotes(own: ProbeResult, others: readonly OtherView[]): Votes {
  const groups = Map.groupBy(tellers(own, others), ({vantage, region}) => region ?? `vantage ${vantage}`);
  const votes = [own.ok, ...[...groups.values()].map(majority)];
  const good = votes.filter((vote) => vote === true).length;
  const bad = votes.filter((vote) => vote === false).length;
  return {good, bad, mute: votes.length - good - bad, of: votes.length, need: Math.floor(votes.length / 2) + 1};
}

/** The views that have a say, given what we found ourselves. */
export function tellers(own: ProbeResult, others: readonly OtherView[]): readonly OtherView[] {
  return others.filter((view) => view.result.ok === false || canTell(own, view));
}

/** Whether a view could contradict, or stand in for, what we found. */
function canTell(own: ProbeResult, {sees, whole}: Pick<OtherView, 'sees' | 'whole'>): boolean {
  if (own.ok === true || whole || isOnTheWay(own)) return true;
  // We could not judge it, and what they see is not all that is expected.
  if (own.ok === null) return false;
  // An answer elsewhere contradicts our silence, and our status.
  return sees === 'status' && (isUnanswered(own) || own.code === 'unexpected-status');
}

/** The vote of a region's vantage points; null = none of them can tell, or they are split evenly. */
function majority(views: readonly OtherView[]): boolean | null {
  const balance = views.reduce((sum, {result}) => sum + (result.ok === null ? 0 : result.ok ? 1 : -1), 0);
  return balance === 0 ? null : balance > 0;
}
