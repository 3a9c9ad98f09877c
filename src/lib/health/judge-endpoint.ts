import {countVotes, isOnTheWay, isUnanswered, type OtherView, tellers, type Votes} from './quorum.ts';
import type {EndpointReading} from './sweep.ts';
import type {Verdict} from './verdict.ts';

/** A verdict with its stable code and one sentence with the values that decided. */
export type Judged = {readonly verdict: Verdict; readonly code: string; readonly reason: string};

/** How many of those who could tell share a verdict. */
export type Share = {readonly agree: number; readonly asked: number};

/**
 * An endpoint's verdict beside what it was judged by. `vouched`: only we do not reach it, and most others saw all that is expected of it: for its region
 * it is well.
 */
export type EndpointJudgement = Judged & Share & {readonly reading: EndpointReading; readonly vouched?: true};

/** One endpoint by its own probe, and by the vantage points that looked at it besides: a verdict takes more than half of those that can tell. */
export function judgeEndpoint(reading: EndpointReading): EndpointJudgement {
  const own = judgeOwn(reading);
  const others = tellers(reading.result, reading.others ?? []);
  if (others.length === 0) return {...own, agree: 1, asked: 1, reading};
  const votes = countVotes(reading.result, others);
  // Nobody else sees that it is slow, or warns: that is ours to say.
  if (own.verdict === 'degraded' && votes.good >= votes.need) return {...own, agree: 1, asked: 1, reading};
  return {...byVotes(own, reading, {votes, others}), asked: votes.of, reading};
}

/** By what we saw ourselves alone. */
export function judgeOwn({endpoint, result, attempts}: EndpointReading): Judged {
  const {slowMs} = endpoint;
  const says = plain(result.detail);
  if (result.ok === null) return {verdict: 'unknown', code: result.code, reason: says};
  if (!result.ok) return {verdict: 'unhealthy', code: result.code, reason: `${says}${inARow(attempts)}`};
  if (result.warning !== undefined) return {verdict: 'degraded', code: result.warning.code, reason: plain(result.warning.says)};
  if (slowMs !== null && result.latencyMs !== null && result.latencyMs > slowMs) {
    return {verdict: 'degraded', code: 'slow', reason: `answered in ${Math.round(result.latencyMs)} ms, slow above ${slowMs} ms`};
  }
  return {verdict: 'healthy', code: 'ok', reason: says};
}

type Counted = {readonly votes: Votes; readonly others: readonly OtherView[]};

function byVotes(own: Judged, {result}: EndpointReading, {votes, others}: Counted): Judged & Pick<EndpointJudgement, 'agree' | 'vouched'> {
  const {good, bad, of, need} = votes;
  if (bad >= need) return {...down(own, result.ok, others, votes), agree: bad};
  if (good >= need) return {...up(own, result, votes), agree: good, ...(isVouched(result, others) ? {vouched: true} : {})};
  if (isOnTheWay(result) && bad === 1 && good > 0) return {...cutOff(own, votes), agree: good};
  const split = `${good} of ${of} vantage points find it well, ${bad} do not${votes.mute === 0 ? '' : `, ${votes.mute} cannot tell`}`;
  // What kept us from judging says more than that the others do not agree.
  if (result.ok === null) return {...own, reason: `${own.reason}; ${split}`, agree: Math.max(good, bad)};
  const reason = `${split}; ${need} would have to agree (${firstOf(own, others)})`;
  return {verdict: 'unknown', code: 'no-quorum', reason, agree: Math.max(good, bad)};
}

/** Whether it counts as well although we do not reach it: every good view of it is of all that is expected. */
function isVouched(own: EndpointReading['result'], others: readonly OtherView[]): boolean {
  return isUnanswered(own) && others.every(({result, whole}) => result.ok !== true || whole);
}

/** Most find it down. */
function down(own: Judged, ok: boolean | null, others: readonly OtherView[], {bad, of}: Votes): Judged {
  const share = `${bad} of ${of} vantage points`;
  if (ok === false) return {...own, reason: of === 1 ? own.reason : `${own.reason}; ${share} agree`};
  const first = others.find(({result}) => result.ok === false);
  const code = first?.result.code ?? 'unreachable';
  const here = ok === true ? 'it answers us' : plain(own.reason);
  return {
    verdict: 'unhealthy',
    code,
    reason: `${share} find it down (${first?.vantage}: ${plain(first?.result.detail ?? '')}); here ${here}`,
  };
}

/** Most find it well. */
function up(own: Judged, result: EndpointReading['result'], votes: Votes): Judged {
  const {good, of} = votes;
  if (result.ok === true) return own;
  const share = `${good} of ${of} vantage points find it well`;
  // Only those were counted whose view is of all that is expected.
  if (result.ok === null) return {verdict: 'healthy', code: 'ok', reason: `${share}; not judged from here: ${own.reason}`};
  return isUnanswered(result) ? cutOff(own, votes) : {verdict: 'degraded', code: own.code, reason: `${own.reason}, yet ${share}`};
}

function cutOff(own: Judged, {good, of}: Pick<Votes, 'good' | 'of'>): Judged {
  return {
    verdict: 'unknown',
    code: CUT_OFF,
    reason: `cut off from here: ${good} of ${of} vantage points reach it, we do not (${own.reason})`,
  };
}

/** The code of what only we cannot reach. */
export const CUT_OFF = 'cut-off';

function firstOf(own: Judged, others: readonly OtherView[]): string {
  if (own.verdict !== 'healthy') return own.reason;
  const bad = others.find(({result}) => result.ok !== true);
  return bad === undefined ? own.reason : `${bad.vantage}: ${plain(bad.result.detail)}`;
}

/** Reasons are put together from details, so a full stop would stand in the middle. */
function plain(detail: string): string {
  return detail.replace(/\.$/, '');
}

function inARow(attempts: number): string {
  return attempts > 1 ? `, ${attempts} times in a row` : '';
}
