/** Every exit code of the program, with the sentence that help shows. 0-3 follow the monitoring-plugins convention. */
export const EXIT = {
  good: 0,
  warning: 1,
  critical: 2,
  unknown: 3,
  usage: 64,
  noFleet: 66,
  unavailable: 69,
  bug: 70,
  state: 73,
  leaseHeld: 75,
  refused: 77,
  fleetInvalid: 78,
  interrupted: 130,
} as const;

/** One of the values of EXIT. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What each code means, for the help text. */
export const EXIT_MEANING: Readonly<Record<ExitCode, string>> = {
  0: 'good',
  1: 'warning: degraded, diverged, objective missed, anomaly, recovering',
  2: 'critical: unhealthy, failed, drill failed, truncated audit',
  3: 'unknown: could not be measured, or cut off from here',
  64: 'usage: an unknown command, flag or value',
  66: 'no fleet file',
  69: 'a provider or a server that is needed is not available',
  70: 'a bug in regionctl',
  73: 'state cannot be written',
  75: 'the lease is held by another; try later',
  77: 'refused by a guard',
  78: 'the fleet file is invalid',
  130: 'interrupted',
};
