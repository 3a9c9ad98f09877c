import type {StepStatus} from '../plan/plan-document.ts';
import type {BreakerState} from '../replication/breaker.ts';
import type {LinkState} from '../replication/lag.ts';
import type {RegionVerdict} from '../snapshot/snapshot.ts';
import type {Meaning} from './paint.ts';

/** A symbol with what it means; the word always stands beside it. */
export type Signed = {readonly symbol: string; readonly meaning: Meaning};

/** What the states of links mean. */
export const LINK_MEANING: Readonly<Record<LinkState, Meaning>> = {
  streaming: 'good',
  idle: 'good',
  'catching-up': 'warning',
  stalled: 'critical',
  broken: 'critical',
  unknown: 'unknown',
};

/** The signs of verdicts, for texts and for live views. */
export const VERDICT_SIGNS: Readonly<Record<RegionVerdict | 'unknown', Signed>> = {
  healthy: {symbol: '●', meaning: 'good'},
  degraded: {symbol: '◐', meaning: 'warning'},
  recovering: {symbol: '◔', meaning: 'warning'},
  unhealthy: {symbol: '✗', meaning: 'critical'},
  unknown: {symbol: '?', meaning: 'unknown'},
};

const LINKS: Readonly<Record<LinkState, string>> = {
  streaming: '●',
  idle: '○',
  'catching-up': '◐',
  stalled: '!',
  broken: '✗',
  unknown: '?',
};

/** What the states of breakers mean. */
export const BREAKER_MEANING: Readonly<Record<BreakerState['state'], Meaning>> = {closed: 'muted', warn: 'warning', open: 'critical'};

/** The symbols of the statuses of steps. */
export const STEP_SYMBOLS: Readonly<Record<StepStatus, string>> = {
  pending: '·',
  running: '▶',
  done: '✓',
  skipped: '–',
  failed: '✗',
  undone: '↩',
};

/** The sign of a link's state. */
export function linkSigned(state: LinkState): Signed {
  return {symbol: LINKS[state], meaning: LINK_MEANING[state]};
}
