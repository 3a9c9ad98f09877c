import type {Endpoint, VantageSpec} from '../fleet/fleet.ts';
import type {Probe, ProbeResult} from './probe.ts';

/**
 * What another vantage point is asked to look at. It sees less than the endpoint's own probe: of `http` the status of the answer, of `tcp` whether a
 * connection is accepted. `redirects` is how many may lead to the answer.
 */
export type Target = (
  | {readonly kind: 'http'; readonly url: string; readonly expectStatus: number; readonly redirects: number}
  | {readonly kind: 'tcp'; readonly host: string; readonly port: number}
) & {
  /** Whether that is all that the endpoint's own probe expects: only then can it be called well by others alone. */
  readonly whole: boolean;
};

/**
 * Vantage port: somewhere else that looks at endpoints for us. `check` never throws for what the endpoint does; `ok` null = the vantage point itself
 * did not answer, or could not look. `timeoutMs` is the endpoint's own deadline; the way to the vantage point may take `graceMs` more.
 */
export type Vantage = {
  readonly graceMs: number;
  check(target: Target, timeoutMs: number, signal: AbortSignal): Promise<ProbeResult>;
};

/**
 * A vantage point that is about to look at one endpoint. `sees`: `status` = the status of an http answer, `reach` = whether it accepts a connection.
 * `whole` = that is
 * all that is expected of it. `region` is where it stands; null = nobody knows, so it has a vote of its own. `timeoutMs` includes the way to it.
 */
export type Viewer = {
  readonly vantage: string;
  readonly region: string | null;
  readonly sees: 'status' | 'reach';
  readonly whole: boolean;
  readonly timeoutMs: number;
  readonly probe: Probe;
};

/** Something that answers as long as this machine is not cut off itself. */
export type Uplink = {readonly name: string; readonly timeoutMs: number; readonly probe: Probe};

/** A vantage point's way to look at an endpoint of which it can see `target`. */
export function viewerOf(
  spec: Pick<VantageSpec, 'name' | 'region'>,
  vantage: Vantage,
  {timeoutMs}: Pick<Endpoint, 'timeoutMs'>,
  target: Target,
): Viewer {
  return {
    vantage: spec.name,
    region: spec.region,
    sees: target.kind === 'http' ? 'status' : 'reach',
    whole: target.whole,
    timeoutMs: timeoutMs + vantage.graceMs,
    probe: {check: (signal) => vantage.check(target, timeoutMs, signal)},
  };
}
