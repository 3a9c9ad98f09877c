/** The public entry point for plugins: types of the ports, typed helper calls for providers, and the zod that checks the fleet file. */
export {z} from 'zod';
export {timeoutAwake} from '../lib/awake.ts';
export {isRegionctlError, messageOf, RegionctlError, refused, stateError, unavailable, usageError} from '../lib/errors.ts';
export {EXIT} from '../lib/exit-codes.ts';
export {durationMs, hostPort, httpUrl, port, secretRef} from '../lib/fleet/fields.ts';
export type {SecretRef, SecretVault} from '../lib/fleet/secrets.ts';
export type {Ctx} from '../lib/plan/action.ts';
export type {Json} from '../lib/plan/json.ts';
export type {Loss} from '../lib/plan/plan.ts';
export type {Clock} from '../lib/ports/clock.ts';
export type {Fault, FaultEnd, FaultOrder, FaultTrouble} from '../lib/ports/fault.ts';
export type {Finding} from '../lib/ports/finding.ts';
export type {Handler, HandlerAnswer, HandlerQuestion, HandlerVersion} from '../lib/ports/handler.ts';
export type {Host, HostStatus} from '../lib/ports/host.ts';
export type {LabelledReadings, Metrics, MetricsAnswer, MetricsRange} from '../lib/ports/metrics.ts';
export type {Notice, NoticeKind, Notifier} from '../lib/ports/notifier.ts';
export type {Probe, ProbeResult} from '../lib/ports/probe.ts';
export type {Router} from '../lib/ports/router.ts';
export type {
  Abilities,
  LinkCause,
  LinkReading,
  MessageReading,
  Proof,
  Saved,
  SlotReading,
  Store,
  SubscriptionReading,
  Unsent,
  WayBack,
} from '../lib/ports/store.ts';
export type {Target, Vantage} from '../lib/ports/vantage.ts';
export type {EndpointPlace, MemberPart, Provider, ProviderContext, StorePart} from '../lib/providers/define.ts';
export {
  defineFault,
  defineHandler,
  defineHost,
  defineMetrics,
  defineNotifier,
  defineProbe,
  defineRouter,
  defineStore,
  defineVantage,
} from '../lib/providers/define.ts';
export {type Attempt, connectionFailure} from '../lib/providers/tcp/connection-failure.ts';
export {readCa, type Trusted} from '../lib/providers/tls/read-ca.ts';
export type {Cell} from '../lib/snapshot/cell.ts';
export {known, unknown} from '../lib/snapshot/cell.ts';
export type {Position} from '../lib/snapshot/position.ts';
export type {AckRule, Member} from '../lib/snapshot/snapshot.ts';
