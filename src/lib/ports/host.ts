/** What the host of a member knows of its server process. `running` null = the host could not tell. */
export type HostStatus = {readonly running: boolean | null; readonly detail: string};

/**
 * Control over the machine that a store's member runs on: what SQL cannot do. Every call has its own deadline through `signal`.
 * A host that cannot be reached throws `host-unreachable` (exit 69).
 */
export type Host = {
  status(signal: AbortSignal): Promise<HostStatus>;
  /** Stops the server cleanly: what it acknowledged is shipped to connected standbys first. Already stopped = success. */
  stop(signal: AbortSignal): Promise<void>;
  /** Starts it as its data says: as what it was when it stopped. Already running = success. */
  start(signal: AbortSignal): Promise<void>;
  /** false = `start` or `startAsStandby` refuses; absent = neither does. */
  readonly startsStandbys?: boolean;
  /** Starts it as a standby of `upstream` on the data that it has. null = of nobody: it recovers, answers reads and takes no write. */
  startAsStandby(upstream: string | null, signal: AbortSignal): Promise<void>;
  /** Replaces its data by a base backup of `upstream` and starts it as a standby. Answers the bytes that were copied. */
  rebuild(upstream: string, signal: AbortSignal): Promise<{bytes: number}>;
  /**
   * Ability: takes the stopped server's data back to where it left the history of `upstream` (pg_rewind), copying only what differs, and starts
   * it as a standby. Throws `cannot-rewind` when the data does not allow it; the data is then good for a rebuild only.
   */
  rewind?(upstream: string, signal: AbortSignal): Promise<{bytes: number}>;
};
