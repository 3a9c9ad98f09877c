import {RegionctlError, usageError} from '../errors.ts';
import {EXIT} from '../exit-codes.ts';
import type {Endpoint, Fleet, ProviderPart, StoreSpec} from '../fleet/fleet.ts';
import type {Clock} from '../ports/clock.ts';
import type {Fault} from '../ports/fault.ts';
import type {Handler} from '../ports/handler.ts';
import type {Hooks} from '../ports/hook.ts';
import type {Host} from '../ports/host.ts';
import type {Metrics} from '../ports/metrics.ts';
import type {Notifier} from '../ports/notifier.ts';
import type {Probe} from '../ports/probe.ts';
import type {Router} from '../ports/router.ts';
import type {State} from '../ports/state.ts';
import type {Store} from '../ports/store.ts';
import type {Uplink, Vantage, Viewer} from '../ports/vantage.ts';
import {viewerOf} from '../ports/vantage.ts';
import {lazyState} from '../state/lazy-state.ts';
import type {
  FaultProvider,
  HandlerProvider,
  HostProvider,
  MetricsProvider,
  NotifierProvider,
  ProbeProvider,
  Provider,
  ProviderContext,
  RouterProvider,
  StoreProvider,
  VantageProvider,
} from './define.ts';
import {quietVantage} from './quiet-vantage.ts';

/** A fleet whose parts can be asked and acted on. Nothing has been connected to yet: each part connects when it is first used. */
export type OpenFleet = {
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly probes: readonly {readonly endpoint: Endpoint; readonly probe: Probe; readonly others: readonly Viewer[]}[];
  /** What answers as long as this machine is not cut off itself; none = it is not asked. */
  readonly uplinks: readonly Uplink[];
  readonly stores: Readonly<Record<string, Store>>;
  readonly routers: Readonly<Record<string, Router>>;
  /** A second path to a store, with sessions of its own: what acted must not be what verifies. */
  independent(store: string): Promise<Store>;
  readonly fault: Fault | null;
  /** The host of a store's member, opened now; null = the fleet file gives it none. Absent = as if none had any. */
  host?(store: string, member: string): Promise<Host | null>;
  /** What decides between versions of a row, by the name that the fleet file gives it, opened now; null = there is none. Absent = as if there were none. */
  handler?(name: string): Promise<Handler | null>;
  /** A source of series, by the name that the fleet file gives it, opened when first asked for; null = there is none. Absent = as if there were none. */
  metrics?(name: string): Promise<Metrics | null>;
  /** The commands of the fleet file. */
  readonly hooks: Hooks;
  /** Runs a program in the fleet file's folder, without a shell; `code` null = it could not be run to its end. `says` is one sentence without secrets. */
  exec(run: readonly string[], how: ExecHow): Promise<{readonly code: number | null; readonly says: string}>;
  /** By the name that the fleet file gives them. */
  readonly notifiers: Readonly<Record<string, Notifier>>;
  /** Where this fleet's state is kept: the fleet file's `state.dir`, or oclif's data directory. */
  readonly stateDir: string;
  /** Opened when first asked for. One that could not be opened is opened anew by who asks half a minute later. */
  state(): Promise<State>;
  close(): Promise<void>;
};

/** `env` is added to this process's own. */
export type ExecHow = {readonly timeoutMs: number; readonly signal: AbortSignal; readonly env?: Readonly<Record<string, string>>};

type Options = {
  readonly fleet: Fleet;
  readonly providers: readonly Provider[];
  readonly clock: Clock;
  readonly defaultStateDir: string;
  readonly stateBusyMs?: number | undefined;
};

/** Opens every part of the fleet file through its provider. `stateBusyMs`: how long the state waits for a lock of another process, default 5 s. */
export async function openFleet({fleet, providers, clock, defaultStateDir, stateBusyMs}: Options): Promise<OpenFleet> {
  const stateDir = fleet.state.dir ?? defaultStateDir;
  const context: ProviderContext = {fleet, secrets: fleet.secrets, clock, baseDir: dirOf(fleet.file), stateDir};
  const [views, uplinks, stores, routers, fault, notifiers] = await Promise.all([
    openViews(fleet, providers, context),
    Promise.all(
      fleet.uplinks.map(async ({name, timeoutMs, probe}) => {
        const place = {region: '', endpoint: name, timeoutMs};
        return {name, timeoutMs, probe: await find<ProbeProvider>(providers, 'probe', probe).create(probe.config, place, context)};
      }),
    ),
    openAll(fleet.stores, (store) => openStore(store, providers, context)),
    openAll(fleet.routes, (route) =>
      find<RouterProvider>(providers, 'router', route.router).create(route.router.config, route.name, context),
    ),
    fleet.fault === null ? null : find<FaultProvider>(providers, 'fault', fleet.fault).create(fleet.fault.config, context),
    openAll(fleet.notifiers, ({name, notifier}) =>
      find<NotifierProvider>(providers, 'notifier', notifier).create(notifier.config, name, context),
    ),
  ]);
  const state = lazyState(async () => (await import('../state/sqlite.ts')).openState({dir: stateDir, clock, busyMs: stateBusyMs}), clock);
  const second = new Map<string, Promise<Store>>();
  const sources = lazySources(fleet, providers, context);
  return {
    fleet,
    clock,
    probes: views,
    uplinks,
    stores,
    routers,
    independent: (name) => {
      const spec = fleet.stores.find((candidate) => candidate.name === name);
      if (spec === undefined) throw usageError(`the fleet file has no store called "${name}"`);
      const store = second.get(name) ?? openStore(spec, providers, context);
      second.set(name, store);
      return store;
    },
    fault,
    host: async (store, member) => {
      const members = fleet.stores.find(({name}) => name === store)?.members ?? [];
      const part = members.find(({name}) => name === member)?.host ?? null;
      return part === null ? null : openHost(member, part, providers, context);
    },
    handler: async (name) => {
      const part = fleet.handlers?.find((spec) => spec.name === name)?.handler;
      return part === undefined ? null : find<HandlerProvider>(providers, 'handler', part).create(part.config, name, context);
    },
    metrics: sources.open,
    hooks: lazyHooks(fleet),
    async exec(run, {env = {}, ...how}) {
      const {endSentence, runProgram} = await import('./exec/run-program.ts');
      const end = await runProgram({...how, run, env, cwd: context.baseDir, scrub: fleet.secrets.scrub});
      return {code: end.how === 'exit' ? end.code : null, says: fleet.secrets.scrub(endSentence(run[0] ?? '', end))};
    },
    notifiers,
    stateDir,
    state: state.open,
    close: async () => {
      const others = await Promise.allSettled(second.values());
      const opened = [...Object.values(stores), ...others.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))];
      await Promise.allSettled(opened.map((store) => store.close()));
      await sources.close();
      await state.close();
    },
  };
}

/** What starts programs is loaded when the first hook is run. */
function lazyHooks(fleet: Fleet): Hooks {
  const load = async (): Promise<Hooks> => (await import('./exec/hooks.ts')).createHooks(fleet);
  return {
    has: (name) => Object.hasOwn(fleet.hooks, name),
    run: async (...args) => (await load()).run(...args),
    ask: async (...args) => (await load()).ask(...args),
    verify: async (...args) => (await load()).verify(...args),
  };
}

/** A source of series is opened when it is first asked for: most commands need none. */
function lazySources(fleet: Fleet, providers: readonly Provider[], context: ProviderContext) {
  const sources = new Map<string, Promise<Metrics>>();
  return {
    open: async (name: string): Promise<Metrics | null> => {
      const part = fleet.metrics?.find((spec) => spec.name === name)?.metrics;
      if (part === undefined) return null;
      const source = sources.get(name) ?? find<MetricsProvider>(providers, 'metrics', part).create(part.config, name, context);
      sources.set(name, source);
      source.catch(() => sources.delete(name));
      return source;
    },
    close: async (): Promise<void> => {
      await Promise.allSettled([...sources.values()].map(async (source) => (await source).close?.()));
    },
  };
}

async function openAll<T extends {readonly name: string}, P>(
  parts: readonly T[],
  open: (part: T) => Promise<P>,
): Promise<Record<string, P>> {
  return Object.fromEntries(await Promise.all(parts.map(async (part) => [part.name, await open(part)] as const)));
}

/** Each endpoint with its own probe, and with the vantage points that look at it besides. */
async function openViews(fleet: Fleet, providers: readonly Provider[], context: ProviderContext): Promise<OpenFleet['probes']> {
  const vantages = await openAll(fleet.vantages, async ({name, vantage}) =>
    quietVantage(name, await find<VantageProvider>(providers, 'vantage', vantage).create(vantage.config, name, context), context.clock),
  );
  return Promise.all(
    fleet.regions
      .flatMap((region) => region.endpoints)
      .map(async (endpoint) => {
        const target = find<ProbeProvider>(providers, 'probe', endpoint.probe).target?.(endpoint.probe.config) ?? null;
        const asked = fleet.vantages.filter(({name}) => endpoint.vantages?.includes(name) ?? true);
        const others = target === null ? [] : asked.map((spec) => viewerOf(spec, vantages[spec.name] as Vantage, endpoint, target));
        return {endpoint, probe: await openProbe(endpoint, providers, context), others};
      }),
  );
}

function openProbe(endpoint: Endpoint, providers: readonly Provider[], context: ProviderContext): Promise<Probe> {
  const place = {region: endpoint.region, endpoint: endpoint.name, timeoutMs: endpoint.timeoutMs};
  return find<ProbeProvider>(providers, 'probe', endpoint.probe).create(endpoint.probe.config, place, context);
}

async function openStore(store: StoreSpec, providers: readonly Provider[], context: ProviderContext): Promise<Store> {
  const provider = find<StoreProvider>(providers, 'store', {kind: store.engine, path: store.path});
  const members = await Promise.all(
    store.members.map(async ({name, region, config, host}) => ({
      name,
      region,
      config,
      host: host === null ? null : await openHost(name, host, providers, context),
    })),
  );
  return provider.create({name: store.name, quorum: store.quorum, config: store.config, members}, context);
}

function openHost(member: string, host: ProviderPart, providers: readonly Provider[], context: ProviderContext): Promise<Host> {
  return find<HostProvider>(providers, 'host', host).create(host.config, member, context);
}

/** The loader has already refused unknown kinds; this guards against a provider that went missing since. */
function find<P extends Provider>(
  providers: readonly Provider[],
  port: P['port'],
  part: {kind: string; path: readonly (string | number)[]},
): P {
  const provider = providers.find((candidate) => candidate.port === port && candidate.kind === part.kind);
  if (provider === undefined)
    throw new RegionctlError('unknown-kind', EXIT.fleetInvalid, `${part.path.join('.')}: no ${port} provider is called "${part.kind}"`);
  return provider as P;
}

function dirOf(file: string): string {
  return file.slice(0, Math.max(1, file.lastIndexOf('/')));
}
