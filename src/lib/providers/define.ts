import type {z} from 'zod';
import type {Fleet} from '../fleet/fleet.ts';
import type {SecretVault} from '../fleet/secrets.ts';
import type {Clock} from '../ports/clock.ts';
import type {Fault} from '../ports/fault.ts';
import type {Handler} from '../ports/handler.ts';
import type {Host} from '../ports/host.ts';
import type {Metrics} from '../ports/metrics.ts';
import type {Notifier} from '../ports/notifier.ts';
import type {Probe} from '../ports/probe.ts';
import type {Router} from '../ports/router.ts';
import type {Store} from '../ports/store.ts';
import type {Target, Vantage} from '../ports/vantage.ts';

/**
 * What a provider is handed beside its own part of the fleet file. `baseDir` is the fleet file's folder. `stateDir` is where the fleet's state is kept; it
 * may not be there yet. Absent = nothing can be kept.
 */
export type ProviderContext = {
  readonly fleet: Fleet;
  readonly secrets: SecretVault;
  readonly clock: Clock;
  readonly baseDir: string;
  readonly stateDir?: string;
};

/** Where a probe or a fault belongs. */
export type EndpointPlace = {readonly region: string; readonly endpoint: string; readonly timeoutMs: number};

/** A member as its store's provider gets it: parsed by the provider's own member schema, with its host if the fleet file gives one. */
export type MemberPart<M> = {readonly name: string; readonly region: string; readonly config: M; readonly host: Host | null};

/** What a store's provider is given to open one store. */
export type StorePart<C, M> = {
  readonly name: string;
  readonly quorum: number;
  readonly config: C;
  readonly members: readonly MemberPart<M>[];
};

export type ProbeProvider<C = unknown> = {
  readonly port: 'probe';
  readonly kind: string;
  readonly schema: z.ZodType<C>;
  /** What another vantage point can look at of such an endpoint; null or absent = nothing, only we can. */
  target?(config: C): Target | null;
  create(config: C, place: EndpointPlace, context: ProviderContext): Promise<Probe>;
};
export type StoreProvider<C = unknown, M = unknown> = {
  readonly port: 'store';
  readonly kind: string;
  readonly schema: z.ZodType<C>;
  readonly memberSchema: z.ZodType<M>;
  /** For engines whose stores have the ability `witness`: which key such a store lacks for it; null = none. Absent = the engine has not got it. */
  witness?(config: C): string | null;
  create(part: StorePart<C, M>, context: ProviderContext): Promise<Store>;
};
export type RouterProvider<C = unknown> = {
  readonly port: 'router';
  readonly kind: string;
  readonly schema: z.ZodType<C>;
  create(config: C, name: string, context: ProviderContext): Promise<Router>;
};
export type FaultProvider<C = unknown> = {
  readonly port: 'fault';
  readonly kind: string;
  readonly schema: z.ZodType<C>;
  create(config: C, context: ProviderContext): Promise<Fault>;
};
export type HostProvider<C = unknown> = {
  readonly port: 'host';
  readonly kind: string;
  readonly schema: z.ZodType<C>;
  create(config: C, member: string, context: ProviderContext): Promise<Host>;
};

export type NotifierProvider<C = unknown> = {
  readonly port: 'notifier';
  readonly kind: string;
  readonly schema: z.ZodType<C>;
  create(config: C, name: string, context: ProviderContext): Promise<Notifier>;
};

export type HandlerProvider<C = unknown> = {
  readonly port: 'handler';
  readonly kind: string;
  readonly schema: z.ZodType<C>;
  create(config: C, name: string, context: ProviderContext): Promise<Handler>;
};

export type VantageProvider<C = unknown> = {
  readonly port: 'vantage';
  readonly kind: string;
  readonly schema: z.ZodType<C>;
  create(config: C, name: string, context: ProviderContext): Promise<Vantage>;
};

export type MetricsProvider<C = unknown> = {
  readonly port: 'metrics';
  readonly kind: string;
  readonly schema: z.ZodType<C>;
  create(config: C, name: string, context: ProviderContext): Promise<Metrics>;
};

/** A provider is data. The schema must be cheap to import; `create` imports the implementation when it is first needed. */
export type Provider =
  | ProbeProvider
  | StoreProvider
  | RouterProvider
  | FaultProvider
  | HostProvider
  | NotifierProvider
  | HandlerProvider
  | VantageProvider
  | MetricsProvider;

/* Typed helper calls: they check the shape at compile time and widen to Provider. `schema` parses, so `create` only sees what it accepted. */
export const defineProbe = <C>(provider: Omit<ProbeProvider<C>, 'port'>): Provider => ({port: 'probe', ...provider}) as unknown as Provider;
export const defineStore = <C, M>(provider: Omit<StoreProvider<C, M>, 'port'>): Provider =>
  ({port: 'store', ...provider}) as unknown as Provider;
export const defineRouter = <C>(provider: Omit<RouterProvider<C>, 'port'>): Provider =>
  ({port: 'router', ...provider}) as unknown as Provider;
export const defineFault = <C>(provider: Omit<FaultProvider<C>, 'port'>): Provider => ({port: 'fault', ...provider}) as unknown as Provider;
export const defineHost = <C>(provider: Omit<HostProvider<C>, 'port'>): Provider => ({port: 'host', ...provider}) as unknown as Provider;
export const defineNotifier = <C>(provider: Omit<NotifierProvider<C>, 'port'>): Provider =>
  ({port: 'notifier', ...provider}) as unknown as Provider;
export const defineHandler = <C>(provider: Omit<HandlerProvider<C>, 'port'>): Provider =>
  ({port: 'handler', ...provider}) as unknown as Provider;
export const defineVantage = <C>(provider: Omit<VantageProvider<C>, 'port'>): Provider =>
  ({port: 'vantage', ...provider}) as unknown as Provider;
export const defineMetrics = <C>(provider: Omit<MetricsProvider<C>, 'port'>): Provider =>
  ({port: 'metrics', ...provider}) as unknown as Provider;
