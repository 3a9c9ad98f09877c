import type {Json} from '../plan/json.ts';

/**
 * One check of one endpoint, seen from here. `ok` null = the probe itself could not run.
 * `code` is stable (`ok`, `timeout`, `refused`, `reset`, `unexpected-status`, `wrong-role`, …), `detail` one sentence with the value that decided.
 */
export type ProbeResult = {
  readonly ok: boolean | null;
  readonly latencyMs: number | null;
  readonly code: string;
  readonly detail: string;
  readonly facts?: Json;
  /** Of a failure without an answer: a connection was accepted before, so it is not the way that failed. Absent = none was, or it is not known. */
  readonly connected?: true;
  /** It may have been found on this machine, without the network: it shows nothing of that. */
  readonly local?: true;
  /** It answered as expected, and yet something about it needs attention: the endpoint is degraded by that. Only with `ok` true. */
  readonly warning?: {readonly code: string; readonly says: string};
};

/**
 * Probe port. `check` never throws for what the endpoint does; it ends when `signal` is aborted. `ready` loads what the first check of a process needs
 * from this machine, so that it does not count as the endpoint's time; it ends by itself within some seconds and never throws. Absent = nothing is worth it.
 */
export type Probe = {check(signal: AbortSignal): Promise<ProbeResult>; ready?(): Promise<void>};
