/** A look at the steady state; null = it did not come to it. */
export type SteadyRow = {
  readonly met: boolean;
  readonly checks: readonly {readonly check: string; readonly holds: boolean | null; readonly says: string}[];
};

/** Why a drill passed, failed or could not be judged. */
export type VerdictCode =
  | 'passed'
  | 'not-healed'
  | 'run-failed'
  | 'not-steady'
  | 'two-writers'
  | 'wrong-primary'
  | 'not-rolled-back'
  | 'objective-missed'
  | 'not-started'
  | 'not-ended'
  | 'not-measured';
