import type {Verdict} from '../health/verdict.ts';
import type {StepRow} from '../plan/plan-document.ts';
import type {BreakerNow} from '../replication/breaker.ts';
import type {LinkStanding} from '../replication/lag.ts';
import type {LossRow} from '../replication/loss.ts';

/* Ages are in ms at the time for which the document stands: `at`, or the time it is printed at where it is `cached`. null = there is none, or nobody knows it. */

/** A replication link as `replication lag` reports it: what the status needs of it. */
export type StatusLink = LinkStanding & {
  readonly store: string;
  readonly link?: string;
  readonly from: string;
  readonly to: string;
  readonly replayBytes: number | null;
  readonly ageMs: number | null;
  readonly withinRpo: boolean | null;
  readonly reason: string;
  readonly breaker?: Pick<BreakerNow, 'state' | 'reason'>;
  readonly messages?: {readonly depth: number | null};
};

/** A run as the list of runs shows it. Newest first where there are several. */
export type StatusRun = {
  readonly runId: string;
  readonly kind: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly outcome: string;
  /** ISO 8601. */
  readonly startedAt: string;
};

/** The run that goes on, with its steps as `runs show` has them. */
export type StatusActiveRun = StatusRun & {readonly steps: readonly StepRow[]};

/** A member's role in its store; `unknown` and null when it could not be read. */
export type StatusRole = {
  readonly store: string;
  readonly member: string;
  readonly role: 'primary' | 'standby' | 'peer' | 'unknown';
  readonly writable: boolean | null;
  readonly ageMs: number | null;
};

/** What promoting a region now would lose of one store, as `replication loss` says it. */
export type StatusLoss = Pick<LossRow, 'store' | 'bytes' | 'transactions' | 'seconds' | 'certainty' | 'withinRpo' | 'basis' | 'watched'> & {
  readonly ageMs: number | null;
};

/** Whether a region could take over from another one, as `failover ready` says it. `ready` null = it is not known, and `reason` says why. */
export type StatusReady = {
  readonly from: string;
  readonly ready: boolean | null;
  readonly reason: string | null;
  readonly ageMs: number | null;
};

/**
 * What is left of the limit that has least left in a region, in percent. All but `reason` null = it is not known. `unread` = limits whose current value is not known, with why:
 * then what is left is at most that. Absent = all are known.
 */
export type StatusHeadroom = {
  readonly series: string | null;
  readonly left: number | null;
  readonly limit: number | null;
  readonly value: number | null;
  readonly unit: string | null;
  readonly ageMs: number | null;
  readonly reason: string | null;
  readonly unread?: readonly {readonly series: string; readonly reason: string}[];
};

/**
 * A region in the `status` document. `weightByRoute`: null = the router could not be read. `ageMs`: of the oldest answer that the verdict stands on. `loss` null = nothing would
 * be promoted there; `ready` empty = there is nothing to take over; `headroom` null = nothing is measured.
 */
export type StatusRegion = {
  readonly region: string;
  readonly jurisdiction: string;
  readonly verdict: Verdict;
  readonly since: string;
  readonly reason: string;
  readonly ageMs: number | null;
  readonly roles: readonly StatusRole[];
  readonly weightByRoute: Readonly<Record<string, number | null>>;
  readonly ageMsByRoute: Readonly<Record<string, number | null>>;
  readonly lagWorst: StatusLink | null;
  readonly loss: readonly StatusLoss[] | null;
  readonly ready: readonly StatusReady[];
  readonly headroom: StatusHeadroom | null;
};

/** The document of `status --json`. `notes` are sentences that need a person's eye. */
export type StatusDocument = {
  readonly fleet: string;
  readonly at: string;
  readonly verdict: Verdict;
  readonly regions: readonly StatusRegion[];
  readonly activeRun: StatusActiveRun | null;
  readonly notes: readonly string[];
  /** It was taken at `at`, and nobody was asked since. Absent = it is of now. */
  readonly cached?: true;
};
