import {countVotes, isOnTheWay, type OtherView, type Votes} from './quorum.ts';
import type {EndpointReading} from './sweep.ts';
import type {Verdict} from './verdict.ts';

/** A verdict with its stable code and one sentence with the values that decided. */
export type Judged = {readonly verdict: Verdict; readonly code: string; readonly reason: string};

/** How many of those who could tell share a verdict. */
export type Share = {readonly agree: number; readonly asked: number};

/** An endpoint's verdict beside what it was judged by. */
export type EndpointJudgement = Judged & Share & {readonly reading: EndpointReading};

/** One endpoint by its own probe, and by the vantage points that looked at it besides: a verdict takes more than half of them. */
export function judgeEndpoint(reading: EndpointReading): EndpointJudgement {
  const own = judgeOwn(reading);
  const others = reading.others ?? [];
  if (others.length === 0) return {...own, agree: 1, asked: 1, reading};
  const votes = countVotes(reading.result, others);
  return {...byVotes(own, reading, votes), asked: votes.of, reading};
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

function byVotes(own: Judged, {result, others = []}: EndpointReading, votes: Votes): Judged & {readonly agree: number} {
  const {good, bad, of, need} = votes;
  if (bad >= need) return {...down(own, result.ok, others, votes), agree: bad};
  if (good >= need) return {...up(own, result, others, votes), agree: good};
  if (isOnTheWay(result) && bad === 1 && good > 0) return {...cutOff(own, votes), agree: good};
  const split = `${good} of ${of} vantage points find it well, ${bad} do not${votes.mute === 0 ? '' : `, ${votes.mute} cannot tell`}`;
  return {
    verdict: 'unknown',
    code: 'no-quorum',
    reason: `${split}; ${need} would have to agree (${firstOf(own, others)})`,
    agree: Math.max(good, bad),
  };
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
function up(own: Judged, result: EndpointReading['result'], others: readonly OtherView[], votes: Votes): Judged {
  const {good, of} = votes;
  if (result.ok === true) return own;
  const share = `${good} of ${of} vantage points find it well`;
  if (result.ok === false) {
    return isOnTheWay(result) ? cutOff(own, votes) : {verdict: 'degraded', code: own.code, reason: `${own.reason}, yet ${share}`};
  }
  // Whoever only sees that it can be reached does not know whether it is what it should be.
  const seen = others.some(({sees, result: other}) => sees === 'status' && other.ok === true);
  if (!seen) return {...own, reason: `${own.reason}; ${good} of ${of} vantage points can reach it`};
  return {verdict: 'healthy', code: 'ok', reason: `${share}; not judged from here: ${own.reason}`};
}

function cutOff(own: Judged, {good, of}: Votes): Judged {
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
