import {EXIT, type ExitCode} from '../exit-codes.ts';
import type {RegionVerdict} from '../snapshot/snapshot.ts';

/** How something stands. `unknown` could not be judged: it is neither good nor bad. */
export type Verdict = RegionVerdict | 'unknown';

/**
 * From worst to best: 2 > 3 > 1 > 0. Something seen to be down outranks what could not be seen, because it is certain and needs hands now. What could
 * not be seen outranks a warning, because it may hide an outage. Recovering outranks degraded: it was down a moment ago.
 */
const WORST_FIRST: readonly Verdict[] = ['unhealthy', 'unknown', 'recovering', 'degraded', 'healthy'];

/** The worst of several verdicts; `unknown` for none at all, since nothing was seen. */
export function worstVerdict(verdicts: readonly Verdict[]): Verdict {
  return WORST_FIRST.find((verdict) => verdicts.includes(verdict)) ?? 'unknown';
}

/** Whether a verdict is worse than another. */
export function isWorse(verdict: Verdict, than: Verdict): boolean {
  return WORST_FIRST.indexOf(verdict) < WORST_FIRST.indexOf(than);
}

/** The exit code of a verdict: healthy 0, degraded and recovering 1, unhealthy 2, unknown 3. */
export function verdictExit(verdict: Verdict): ExitCode {
  const codes = {
    healthy: EXIT.good,
    degraded: EXIT.warning,
    recovering: EXIT.warning,
    unhealthy: EXIT.critical,
    unknown: EXIT.unknown,
  } as const;
  return codes[verdict];
}

/** The verdict that an exit code stands for, the other way round: 0 healthy, 1 degraded, 2 unhealthy; all others unknown. */
export function exitVerdict(exit: ExitCode): Verdict {
  if (exit === EXIT.good) return 'healthy';
  if (exit === EXIT.warning) return 'degraded';
  return exit === EXIT.critical ? 'unhealthy' : 'unknown';
}
