import type {Grain, Purpose} from '../capacity/series.ts';
import type {Json} from '../plan/json.ts';
import type {NoticeKind} from '../ports/notifier.ts';
import type {CapacityPlanSpec} from './capacity-plan.ts';
import type {SecretVault} from './secrets.ts';

/** A named thing of the fleet file whose details belong to a provider: `kind` chooses the provider, `config` is what its schema parsed. */
export type ProviderPart = {
  readonly kind: string;
  readonly config: unknown /** Path in the fleet file, for messages. */;
  readonly path: readonly (string | number)[];
};

export type Tier = 'hot' | 'warm' | 'cold';

/** An endpoint of a region. `critical` ones decide the region's verdict; the others only degrade it. */
export type Endpoint = {
  readonly name: string;
  readonly region: string;
  readonly critical: boolean;
  /** Deadline of one probe; default 1000. */
  readonly timeoutMs: number;
  /** Above this the endpoint is slow; default null = never. */
  readonly slowMs: number | null;
  /** How often a live view asks it; null = as the fleet's health says. */
  readonly intervalMs?: number | null;
  /** Names of the vantage points that look at it besides this machine; null or absent = all that can. */
  readonly vantages?: readonly string[] | null;
  readonly probe: ProviderPart;
};

export type Region = {
  readonly name: string;
  /** A jurisdiction code such as `US`, `EU`, `SG`: free text, compared as written. */
  readonly jurisdiction: string;
  readonly tier: Tier;
  readonly sites: Readonly<Record<string, {readonly failsOverTo: string | null}>>;
  /** Regions to fail over to, first choice first. Never itself. */
  readonly failoverOrder: readonly string[];
  readonly endpoints: readonly Endpoint[];
  /** Hook that makes a warm region ready; null = nothing needs doing. */
  readonly scaleUp: string | null;
};

/** A member of a store: where it is. Its role is found, never declared. */
export type StoreMember = {
  readonly name: string;
  readonly region: string;
  readonly site: string | null;
  readonly config: unknown;
  readonly host: ProviderPart | null;
};

/** When a link is no longer relied on, and when it is again. Times in ms. */
export type BreakerSpec = {
  readonly warnMs: number;
  readonly openMs: number;
  readonly readmitMs: number;
  /** The routes that carry reads, off which a region is held while its links are open; absent = none. */
  readonly drain?: DrainSpec;
};

/** `keep` = how many regions must go on serving each of the routes; at least 1. */
export type DrainSpec = {readonly routes: readonly string[]; readonly keep: number};

/** How the values of a column are merged. */
export type CrdtKind = 'g-counter' | 'pn-counter' | 'or-set' | 'mv-register';

/** What decides between versions of a row that neither a merge nor a clock has put in order. `siblings` = a person; `hook` = a hook, or a handler of a plugin. */
export type ConflictPolicy =
  | {readonly kind: 'siblings' | 'newest'}
  | {readonly kind: 'source'; readonly region: string}
  | {readonly kind: 'handler'; readonly hook: string};

/**
 * How versions of a row of one table are told apart, and which one is kept. Columns by name; null = the table has none. `hlc` is a bigint: ms since
 * 1970 times 65536, plus a counter. `vectorClock` is JSON: `{region: count}`. `tombstone` is true in deleted rows.
 */
export type TableRule = {
  readonly merge: Readonly<Record<string, CrdtKind>>;
  readonly vectorClock: string | null;
  readonly hlc: string | null;
  readonly region: string | null;
  readonly tombstone: string | null;
  readonly policy: ConflictPolicy;
};

/** What consistency audits go by. Tables as `schema.table`; `only` null = all that have a primary key. */
export type ConsistencySpec = {
  readonly only: readonly string[] | null;
  readonly ignore: readonly string[];
  readonly tables: Readonly<Record<string, TableRule>>;
};

export type StoreSpec = {
  readonly name: string;
  readonly engine: string;
  /** Data classes kept in this store. */
  readonly dataClasses: readonly string[];
  /** How many other members must hold a write before it is acknowledged; 0 = asynchronous. */
  readonly quorum: number;
  /** Hook that fences the old primary when neither stopping nor closing it can be had; null = none. */
  readonly fenceHook: string | null;
  /** The breaker of each of its links; absent = as a fleet file that says nothing. */
  readonly breaker?: BreakerSpec;
  /** What is audited of it, and how; absent = as a fleet file that says nothing. */
  readonly consistency?: ConsistencySpec;
  readonly members: readonly StoreMember[];
  readonly config: unknown;
  readonly path: readonly (string | number)[];
};

export type RouteSpec = {
  readonly name: string;
  readonly router: ProviderPart;
  /** Wanted weight per region, 0-100, in normal operation. */
  readonly weights: Readonly<Record<string, number>>;
  /** Where a client enters; used by the witness and by verification. */
  readonly url: string | null;
  /** How a failback brings traffic home: percent per stage, each held for `holdMs`; null = all at once. */
  readonly stages: {readonly shares: readonly number[]; readonly holdMs: number} | null;
};

/** RTO in ms. Order of classes: critical, core, full, rebuild. */
export type ServiceSpec = {
  readonly name: string;
  readonly class: string;
  readonly rtoMs: number;
  readonly stores: readonly string[];
  readonly routes: readonly string[];
};

/** RPO in ms; 0 = no acknowledged write may be lost. `allowed` lists jurisdictions; null = anywhere. */
export type DataClass = {readonly name: string; readonly rpoMs: number; readonly allowed: readonly string[] | null};

/** Permission for the witness to write, and where. `stores`: those that drills write to by themselves too; default none. */
export type WitnessSpec = {
  readonly url: string;
  readonly everyMs: number;
  readonly deadlineMs: number;
  /** Stores that it may write to directly, in a table or under keys of its own. */
  readonly stores: readonly string[];
};

/** A command to run, as an argument array: it never reaches a shell. */
export type HookSpec = {
  readonly run: readonly string[];
  /** Proves the effect: exit code 0 = it holds. null = what `run` answers is all there is. */
  readonly verify: readonly string[] | null;
  readonly timeoutMs: number;
};

/** Approval that runs wait for before the first step of each of these phases. From two approvers on, who started the run does not count. */
export type ApprovalSpec = {
  readonly before: readonly ('fence' | 'promote' | 'reroute' | 'converge')[];
  readonly approvers: number;
  readonly expiresMs: number;
};

/** Who is told what. */
export type NotifierSpec = {
  readonly name: string;
  readonly on: readonly NoticeKind[];
  readonly timeoutMs: number;
  readonly notifier: ProviderPart;
};

/** What decides between versions of a row, of a plugin. */
export type HandlerSpec = {readonly name: string; readonly timeoutMs: number; readonly handler: ProviderPart};

/** Where a value of a check comes from. `json` is a JSON pointer; null = the whole body as text. */
export type ReadingSpec =
  | {readonly value: number | string}
  | {readonly store: string; readonly sql: string}
  | {readonly http: string; readonly json: string | null};

/** What must hold after a failover: an answer through the front door, or two values that are equal within `tolerance`. */
export type CheckSpec = {readonly name: string} & (
  | {readonly http: string; readonly status: number; readonly contains: string | null}
  | {readonly equal: readonly [ReadingSpec, ReadingSpec]; readonly tolerance: number}
);

/** Somewhere else that looks at endpoints for us. All that stand in one region have one vote; `region` null = a vote of its own. */
export type VantageSpec = {readonly name: string; readonly region: string | null; readonly vantage: ProviderPart};

/** Something that answers as long as this machine is not cut off itself. */
export type UplinkSpec = {readonly name: string; readonly timeoutMs: number; readonly probe: ProviderPart};

/**
 * How regions are judged. `riseFall`: observations in a row until a region is well again (2), or unhealthy (1). `flapping`: so many changes of state
 * within so long (6 in 15 minutes).
 */
export type HealthSpec = {
  readonly intervalMs: number;
  readonly riseFall: {readonly rise: number; readonly fall: number};
  readonly flapping: {readonly changes: number; readonly withinMs: number};
};

/** Calendar periods, in UTC. Weeks begin on Monday. */
export type Period = 'week' | 'month' | 'quarter' | 'year';

/** How often something is owed: so many ms after it was last done, or once in each period. `text` is as written. */
export type EverySpec = {readonly text: string} & ({readonly ms: number} | {readonly period: Period});

/** A drill that must pass regularly, by its name. `file` is absolute; null = it is found by its name. */
export type CalendarSpec = {readonly name: string; readonly every: EverySpec; readonly graceMs: number; readonly file: string | null};

/** The calendar of drills. `readiness` null = `failover ready` is owed to nobody. */
export type DrillsSpec = {
  readonly calendar: readonly CalendarSpec[];
  readonly readiness: {readonly every: EverySpec; readonly graceMs: number} | null;
};

/** Where series come from. `timeoutMs` = deadline of one question. */
export type MetricsSpec = {readonly name: string; readonly timeoutMs: number; readonly metrics: ProviderPart};

/** A region that has a series. `limit` in the unit of the series, null = none is known; `query` null = that of the series; `size` beside the other regions. */
export type SeriesRegion = {readonly region: string; readonly limit: number | null; readonly query: string | null; readonly size: number};

/** A series that is forecast. */
export type SeriesSpec = {
  readonly name: string;
  /** Name of a source of metrics. */
  readonly source: string;
  /** The source that `capacity collect` takes the current value from; null = `source`. */
  readonly collect: string | null;
  readonly purpose: Purpose;
  readonly unit: string;
  /** `$region` stands for the name of the region; null = what the source has by itself. */
  readonly query: string | null;
  readonly counter: boolean;
  readonly grain: Grain;
  /** IANA name. */
  readonly timeZone: string;
  /** How far back it is read. */
  readonly historyMs: number;
  /** null = it may move anywhere. */
  readonly dataClass: string | null;
  /** Whether it follows traffic to another region. */
  readonly moves: boolean;
  /** Of the whole fleet, where `regions` is empty; regions have theirs already. */
  readonly limit: number | null;
  /** Empty = it is of the whole fleet. */
  readonly regions: readonly SeriesRegion[];
};

/** What is forecast. `mape`: the objective in percent. `keepMs`: how long what `capacity collect` wrote is kept. */
export type CapacitySpec = {readonly mape: number; readonly keepMs: number; readonly series: readonly SeriesSpec[]};

export type Fleet = {
  readonly version: 1;
  readonly name: string;
  /** Absolute path of the file. */
  readonly file: string;
  /** sha256 of the parsed file with secret references unresolved: compare-and-set of plans. */
  readonly digest: string;
  /** sha256 of the file as it stands, which tells without a check of the file that it has changed; absent = it comes from no file. */
  readonly textDigest?: string;
  readonly regions: readonly Region[];
  readonly stores: readonly StoreSpec[];
  readonly routes: readonly RouteSpec[];
  readonly services: readonly ServiceSpec[];
  readonly dataClasses: readonly DataClass[];
  readonly health: HealthSpec;
  readonly vantages: readonly VantageSpec[];
  readonly uplinks: readonly UplinkSpec[];
  readonly fault: ProviderPart | null;
  readonly witness: WitnessSpec | null;
  readonly hooks: Readonly<Record<string, HookSpec>>;
  readonly approval: ApprovalSpec | null;
  readonly notifiers: readonly NotifierSpec[];
  /** Absent = none. */
  readonly handlers?: readonly HandlerSpec[];
  /** Absent = none. */
  readonly metrics?: readonly MetricsSpec[];
  /** Absent = nothing is forecast. Its plan is there whenever it comes from a file. */
  readonly capacity?: CapacitySpec & Partial<CapacityPlanSpec>;
  readonly checks: readonly CheckSpec[];
  /** What `drill due` goes by; absent = as a fleet file that says nothing. */
  readonly drills?: DrillsSpec;
  readonly state: {readonly kind: 'sqlite'; readonly dir: string | null};
  readonly secrets: SecretVault;
  /** Free labels, shown in reports (the lab puts its profile here). */
  readonly labels: Readonly<Record<string, Json>>;
};
