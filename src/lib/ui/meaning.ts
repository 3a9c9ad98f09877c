import {BREAKER_MEANING, linkSigned, STEP_SYMBOLS, VERDICT_SIGNS} from '../output/signs.ts';
import type {StepStatus} from '../plan/plan-document.ts';
import type {BreakerState} from '../replication/breaker.ts';
import type {LinkState} from '../replication/lag.ts';
import type {RegionVerdict} from '../snapshot/snapshot.ts';

/** What a colour or a symbol can say. Components name meanings, never colours. */
export type Meaning = 'good' | 'warning' | 'critical' | 'unknown' | 'active' | 'muted' | 'strong' | 'plain';

/** Props for Ink's Text. */
export type Style = {readonly color?: string; readonly bold?: boolean; readonly dimColor?: boolean};

/* Of the 16 colours that every terminal has, so that the reader's own theme decides how they look. */
const COLOURED: Readonly<Record<Meaning, Style>> = {
  good: {color: 'green'},
  warning: {color: 'yellow'},
  critical: {color: 'red', bold: true},
  unknown: {color: 'magenta'},
  active: {color: 'cyan'},
  muted: {dimColor: true},
  strong: {bold: true},
  plain: {},
};

/** How a meaning looks. Without colour nothing does: words and symbols carry everything. */
export function styleOf(meaning: Meaning, colour: boolean): Style {
  return colour ? COLOURED[meaning] : {};
}

/** A symbol with what it means; the word always stands beside it. */
export type Sign = {readonly symbol: string; readonly meaning: Meaning};

const STATUSES: Readonly<Record<StepStatus, Meaning>> = {
  pending: 'muted',
  running: 'active',
  done: 'good',
  skipped: 'muted',
  failed: 'critical',
  undone: 'warning',
};

/** The sign of a region's verdict. */
export function verdictSign(verdict: RegionVerdict | 'unknown'): Sign {
  return VERDICT_SIGNS[verdict];
}

/** The sign of a link's state. */
export function linkSign(state: LinkState): Sign {
  return linkSigned(state);
}

/** What the state of a breaker means. */
export function breakerMeaning(state: BreakerState['state']): Meaning {
  return BREAKER_MEANING[state];
}

/** The sign of a step's status. */
export function statusSign(status: StepStatus): Sign {
  return {symbol: STEP_SYMBOLS[status], meaning: STATUSES[status]};
}

/** What an outcome means. */
export function outcomeMeaning(outcome: string): Meaning {
  if (outcome === 'succeeded') return 'good';
  return outcome === 'failed' ? 'critical' : 'warning';
}

/* A gap longer than this many intervals of an ordinary write stream is an outage to look at. */
const LONG_GAP_MS = 1000;
const GAP_MS = 250;

/** What the time since the last acknowledged write means. */
export function gapMeaning(ms: number): Meaning {
  if (ms >= LONG_GAP_MS) return 'critical';
  return ms >= GAP_MS ? 'warning' : 'good';
}
