/** One thing that was checked about the fleet, for `doctor`. `fix` says what to do; null when nothing needs doing. */
export type Finding = {
  readonly check: string;
  readonly verdict: 'pass' | 'warning' | 'error' | 'unknown';
  readonly says: string;
  readonly fix: string | null;
  /** The member of a store that it speaks of. */
  readonly member?: string;
};
