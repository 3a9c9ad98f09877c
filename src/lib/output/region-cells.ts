import type {Verdict} from '../health/verdict.ts';
import type {BreakerNow} from '../replication/breaker.ts';
import type {LinkState} from '../replication/lag.ts';
import type {LossRow} from '../replication/loss.ts';
import type {Member} from '../snapshot/snapshot.ts';
import type {Meaning} from './paint.ts';
import {BREAKER_MEANING, linkSigned, VERDICT_SIGNS} from './signs.ts';
import {shortBytes, shortMs} from './units.ts';

/* What a line of a region says, in the dashboard and in the status: one rule for both. */

/** A short text, and what it means; `plain` = nothing in particular. */
export type Said = {readonly text: string; readonly meaning: Meaning | 'plain'};

/** What is older, in ms, is old: by how often the dashboard asks its source. */
export const STALE = {
  verdict: 15_000,
  traffic: 10_000,
  roles: 10_000,
  loss: 20_000,
  ready: 120_000,
  headroom: 400_000,
} as const;

/** So many looks without a new answer make what is asked more rarely old. */
const OLD_LOOKS = 3;

/** The same for the verdict of a region whose endpoints are asked every so many ms. */
export function verdictStaleMs(everyMs: number): number {
  return Math.max(STALE.verdict, OLD_LOOKS * everyMs);
}

/** A verdict with its sign; `null` = nobody was asked yet. */
export function verdictSaid(verdict: Verdict | null): Said & {readonly symbol: string} {
  if (verdict === null) return {symbol: '·', text: 'asking', meaning: 'muted'};
  return {text: verdict, ...VERDICT_SIGNS[verdict]};
}

/** The largest share of all routes, in percent, with a + where others send something too; null shares are not known. */
export function trafficSaid(shares: readonly (number | null)[]): Said | null {
  if (shares.length === 0) return null;
  const most = shares.reduce((best, share) => ((share ?? -1) > (best ?? -1) ? share : best), null);
  if (most === null) return {text: '?', meaning: 'unknown'};
  return {text: `${Math.round(most)} %${shares.filter((share) => share !== 0).length > 1 ? '+' : ''}`, meaning: 'plain'};
}

type Role = {
  readonly store: string;
  readonly role: Member['role'] | 'unknown' | null;
  readonly writable?: boolean | null;
  /** What it was last seen as; absent or null = it was not. */
  readonly last?: {readonly role: Member['role']} | null;
};

const SIGNS: Readonly<Record<Member['role'], string>> = {primary: 'P', standby: 's', peer: 'p'};

/** `P` = it holds the primary; `s` a standby, `p` a peer, `?` not known. */
const roleSign = ({role}: Role): string => (role === null || role === 'unknown' ? '?' : SIGNS[role]);

/** `P orders` for each store. Who is not seen, and was a primary when it was last seen, is `P? orders`. Who takes writes that should not, or none that should, is told. */
export function rolesText(roles: readonly Role[]): string {
  return roles
    .map((each) => `${roleSign(each) === '?' && each.last?.role === 'primary' ? 'P?' : roleSign(each)} ${each.store}${oddity(each)}`)
    .join('  ');
}

/** The same as signs alone, in the order of the fleet file; of more than `most` the first ones and a `+`. */
export function rolesMarks(roles: readonly Role[], most: number): string {
  const marks = roles.map((each) => (oddity(each) === '' ? roleSign(each) : '!'));
  return marks.length <= most ? marks.join('') : `${marks.slice(0, Math.max(0, most - 1)).join('')}+`;
}

/** ` (read-only)` or ` (writable)` where it is not to be expected of the role; else nothing. */
export function oddity({role, writable = null}: Omit<Role, 'store'>): string {
  const expected = role === 'primary' || role === 'peer';
  if (role === null || role === 'unknown' || writable === null || writable === expected) return '';
  return writable ? ' (writable)' : ' (read-only)';
}

type Link = {readonly state: LinkState; readonly seconds: number | null; readonly messages?: {readonly depth: number | null}};

/** The sign of a link with how far behind it is; of a broken one that it is broken: what it is behind says only how long ago that was. An open breaker counts more than the state. */
export function lagSaid({state, seconds, messages}: Link, breaker: BreakerNow['state']): Said {
  const {symbol, meaning} = linkSigned(state);
  const figure =
    state === 'broken'
      ? 'broken'
      : seconds === null
        ? messages === undefined
          ? '?'
          : `${messages.depth ?? '?'} msg`
        : shortMs(seconds * 1000);
  if (breaker !== 'closed') return {text: `${symbol} ${figure}`, meaning: BREAKER_MEANING[breaker]};
  return {text: `${symbol} ${figure}`, meaning: meaning === 'good' ? 'plain' : meaning};
}

/** The state of a breaker. */
export function breakerSaid(state: BreakerNow['state']): Said {
  return {text: state, meaning: BREAKER_MEANING[state]};
}

/**
 * Of all stores together: `~` an estimate, `≤` a bound; what is not known of one is not known. An estimate of nothing is nothing to be
 * alarmed by: it never meets an objective of 0.
 */
export function lossSaid(rows: readonly Pick<LossRow, 'bytes' | 'certainty' | 'withinRpo' | 'watched'>[]): Said {
  if (rows.some(({certainty, watched}) => certainty === 'unknown' && watched !== true)) return {text: '?', meaning: 'unknown'};
  const bytes = rows.reduce((sum, row) => sum + (row.bytes ?? 0), 0);
  const about = rows.some(({certainty}) => certainty === 'estimate') ? '~' : rows.some(({certainty}) => certainty === 'bound') ? '≤' : '';
  const misses = rows.some(({withinRpo, bytes}) => withinRpo === false && bytes !== 0);
  return {text: `${about}${shortBytes(bytes)}`, meaning: misses ? 'critical' : 'plain'};
}

/** Whether it could take over from each that could be left. */
export function readySaid(ways: readonly {readonly ready: boolean | null}[]): Said | null {
  if (ways.length === 0) return null;
  if (ways.some(({ready}) => ready === false)) return {text: 'no', meaning: 'warning'};
  return ways.some(({ready}) => ready === null) ? {text: '?', meaning: 'unknown'} : {text: 'yes', meaning: 'good'};
}

/** What is left of a limit, in percent; `≤` = of others it is not known, so it may be less. */
export function roomSaid(left: number, unread: readonly unknown[] = []): Said {
  return {text: `${unread.length > 0 ? '≤' : ''}${Math.round(left)} %`, meaning: left <= 0 ? 'critical' : left < 10 ? 'warning' : 'plain'};
}

/** An age in whole units. */
export function wholeAge(ms: number): string {
  if (ms < 1000) return '<1 s';
  const unit = ms < 60_000 ? 1000 : 60_000;
  return shortMs(Math.floor(ms / unit) * unit);
}
