import type {Snapshot} from '../snapshot/snapshot.ts';
import type {Json} from './json.ts';

/** The stages of a run, in the order in which reports show them. */
export type Phase =
  | 'detect'
  | 'decide'
  | 'preflight'
  | 'inject'
  | 'fence'
  | 'promote'
  | 'follow'
  | 'reroute'
  | 'verify'
  | 'converge'
  | 'heal';

/** What a plan is for. One runner runs them all. */
export type Kind =
  | 'failover'
  | 'switchover'
  | 'failback'
  | 'evacuation'
  | 'readmission'
  | 'shift'
  | 'degrade'
  | 'repair'
  | 'restore'
  | 'drill';

/** What an action or an expectation speaks of. Names are those of the fleet file. */
export type Target = {
  readonly region?: string;
  readonly store?: string;
  readonly member?: string;
  readonly router?: string;
  readonly fault?: string;
};

/**
 * A fact to hold, as data. Compare-and-set, "already done" and verification are this same thing, asked at different times.
 * `check` names a registered check, `want` is what it is compared with. `independent` means: by another path than the one that acted.
 */
export type Expectation = {
  readonly check: string;
  readonly target: Target;
  readonly want: Json;
  readonly via: 'any' | 'independent';
  readonly maxAgeMs: number;
};

/** One call of a registered action. `v` is the version of its arguments: a journal is read by the version that wrote it. */
export type Call = {readonly action: string; readonly v: number; readonly target: Target; readonly args: Json};

/** How long a step's facts must keep holding: sampled every `everyMs`, at least `minSamples` times, for `forMs`. */
export type Hold = {readonly forMs: number; readonly everyMs: number; readonly minSamples: number; readonly watch: readonly Expectation[]};

/**
 * People who must agree before a step's effect: so many of them, within so many ms of being asked. From two on, whoever started or resumed the
 * run does not count.
 */
export type Approval = {readonly approvers: number; readonly expiresMs: number};

/** One step of a plan. */
export type Step = {
  readonly id: string;
  readonly phase: Phase;
  readonly title: string;
  /** Ids of the steps that must have succeeded before. */
  readonly after: readonly string[];
  readonly do: Call;
  /** Asked right before the effect, and again on resume. One that does not hold stops the run before anything is touched. */
  readonly requires: readonly Expectation[];
  /** All true beforehand = already done, nothing is run. Asked again after the effect. */
  readonly ensures: readonly Expectation[];
  readonly undo: Call | null;
  /** Point of no return of its store: before it only back, after it only forward. */
  readonly pivot: boolean;
  /** The effect ends by itself after this time (faults). */
  readonly leaseMs: number | null;
  readonly hold: Hold | null;
  readonly approval: Approval | null;
  readonly deadlineMs: number;
  readonly onFailure: 'stop' | 'undo' | 'continue';
  /** It may be left at any time without harm (a guard): an interrupt ends it, also past the pivot, and the run goes on to its end. */
  readonly mayLeave?: true;
  /** The later step up to which the effect has to be there (a fault until it was seen to outlast the reaction): a resumed run brings it about no more after that. */
  readonly until?: string;
};

/** A condition that was judged when the plan was made. `says` is one sentence with the measured values. */
export type Gate = {
  readonly id: string;
  readonly asks: readonly Expectation[];
  readonly verdict: 'pass' | 'refuse' | 'unknown';
  readonly measured: Json;
  readonly says: string;
  readonly overridable: boolean;
};

/** What a promotion would lose. exact: read after the fence; bound: sealed without leaks; estimate: last sample plus rate times age. */
export type Loss = {
  readonly store: string;
  readonly transactions: number | null;
  readonly bytes: number | null;
  readonly certainty: 'exact' | 'bound' | 'estimate' | 'unknown';
  readonly basis: string;
};

/** A target to compare a measurement with. `class` is a service class (rto) or a data class (rpo). */
export type Objective = {readonly class: string; readonly kind: 'rto' | 'rpo'; readonly targetMs: number};

/** A gate that a person passed by name. It stays on the record. */
export type Override = {readonly gate: string; readonly reason: string; readonly by: string};

/**
 * What a drill's file says of it, for its report. `scenario` is the kind of drill, `expected` one sentence, `region` the place of the fault; a target
 * of `errorRate` is a share from 0 to 1, one of `p95` is in ms.
 */
export type DrillSpec = {
  readonly name: string;
  readonly description: string;
  readonly scenario: string | null;
  readonly expected: string | null;
  readonly loadObjectives: readonly {
    readonly kind: 'errorRate' | 'p95';
    readonly phase: 'before' | 'during' | 'after';
    readonly target: number;
  }[];
  readonly region: string | null;
  /** The data classes of each store. Absent in plans of an older version. */
  readonly classes?: Readonly<Record<string, readonly string[]>>;
  /** What is kept of it, and what is done after it. Absent in plans of an older version. */
  readonly evidence?: readonly string[];
  readonly rollback?: 'none' | 'failback';
};

/** A plan: plain JSON, so that it can be read, reviewed, saved, run later, resumed by another process, undone, drilled and reported. */
export type Plan = {
  readonly version: 1;
  readonly id: string;
  readonly kind: Kind;
  readonly from: string | null;
  readonly to: string | null;
  readonly snapshot: Snapshot;
  readonly expects: readonly Expectation[];
  /** Compare-and-set: what no other hand may have moved. Asked before the run, and on every resume before the pivot. Absent in old plans. */
  readonly standsOn?: readonly Expectation[];
  readonly gates: readonly Gate[];
  readonly overrides: readonly Override[];
  readonly steps: readonly Step[];
  readonly abortIf: readonly Expectation[];
  /** Run after success, failure and abort, outside the cancelled scope (heal, unclaim). */
  readonly always: readonly Step[];
  /** Big inputs by digest, never inline. */
  readonly files: readonly {readonly name: string; readonly sha256: string}[];
  readonly objectives: readonly Objective[];
  readonly expected: {readonly gapMs: readonly [number, number] | null; readonly loss: readonly Loss[]};
  /** What this plan leaves down, and why, one sentence each: data that may not go where the rest goes. */
  readonly staysDown?: readonly string[];
  /** What goes another way than the rest and does not stay down for it, one sentence each. Absent in old plans. */
  readonly remarks?: readonly string[];
  /** The drill that this plan was made from; `null` for any other kind. */
  readonly drill: string | null;
  /** What the drill's file says of it. Absent in old plans, and in those of any other kind. */
  readonly drillSpec?: DrillSpec;
};
