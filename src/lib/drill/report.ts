import type {RunDocument} from '../run/document.ts';
import type {SteadyRow, VerdictCode} from './verdict.ts';

/** A fault that was injected. Times are ISO 8601. `region` is the name of its place: a region, or a route whose router was hurt. */
export type FaultRow = {
  readonly fault: string;
  readonly region: string;
  readonly injectedAt: string;
  readonly healedAt: string | null;
  readonly provenHealed: boolean;
  readonly leaseMs?: number | null;
  /**
   * How `healedAt` is known. `seen`: it was healed, and its end proven then. `recorded`: it had ended before, and whoever ended it wrote down when.
   * `estimated`: it had ended before, between `endFrom` and `endTo`; `healedAt` is the end of its lease if that lies in between. Null = it is not known to
   * have ended. Absent in old runs.
   */
  readonly endBasis?: 'seen' | 'recorded' | 'estimated' | null;
  readonly endFrom?: string | null;
  readonly endTo?: string | null;
  /** What brought the end: its lease, or a heal. Null = not known. */
  readonly endedBy?: 'lease' | 'heal' | null;
  /** One sentence on an end that was not seen. */
  readonly endSays?: string | null;
  /** What the injector says of it, and what proved its end, one sentence each. */
  readonly says?: string | null;
  readonly proof?: string | null;
};

/** What one stream of the witness saw; `lost` and `duplicated` hold the first 100 references, null = not read back. */
export type WitnessRow = {
  readonly acknowledged: number | null;
  readonly failed: number | null;
  readonly unknown: number | null;
  readonly lost: readonly string[] | null;
  readonly duplicated: readonly string[] | null;
  readonly longestGapMs: number | null;
  readonly gapAtLeastMs: number | null;
  readonly gapFrom: string | null;
  readonly gapTo: string | null;
  readonly lossWindowMs: number | null;
  readonly writeGapReason: string | null;
  /** How many are lost and duplicated in all; null = not read back. Absent in old runs. */
  readonly lostWrites?: number | null;
  readonly duplicatedWrites?: number | null;
  /** Ended without an answer, and found there afterwards. */
  readonly unknownButPresent?: number | null;
  /** Ms in which our own process stood still: in all, at the longest, and how often. */
  readonly stalledMs?: number | null;
  readonly longestStallMs?: number | null;
  readonly stalls?: number | null;
  /** What the witness itself cost: share of one core in percent, and writes per second that it added. */
  readonly cost?: {readonly cpuPercent: number; readonly writesPerSecond: number} | null;
};

/** One store, written to directly: every member by itself, since only the primary should acknowledge. */
export type StoreWitnessRow = {
  readonly store: string;
  /** Acknowledgements, losses and gap over all members: what a client saw that always finds the primary. */
  readonly all: WitnessRow;
  readonly members: readonly {
    readonly member: string;
    readonly acknowledged: number;
    readonly firstAckAt: string | null;
    readonly lastAckAt: string | null;
  }[];
  /** The time in which two members acknowledged writes: a split brain. Null = there was none; `ms` from the first such acknowledgement to the last. */
  readonly twoWriters: {readonly members: readonly string[]; readonly from: string; readonly ms: number; readonly writes: number} | null;
  readonly trouble: string | null;
};

/** What clients felt, by the load: before the fault, from the fault to the recovery, and after it. `errorRate` is 0 to 1; latencies in ms, of answered requests. */
export type LoadPart = {
  readonly requests: number;
  readonly errors: number;
  readonly errorRate: number | null;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly maxMs: number | null;
  /** False = the load did not run in all of it, as when its program ended by itself. Absent in old runs. */
  readonly whole?: boolean;
};

export type LoadRow = {
  readonly kind: 'built-in' | 'exec';
  readonly says: string;
  readonly before: LoadPart;
  readonly during: LoadPart;
  readonly after: LoadPart;
};

/** One instant or span of the drill, for the time line. `ms` counts from the drill's start, `endMs` null = an instant. */
export type TimelineRow = {
  readonly ms: number;
  readonly endMs: number | null;
  readonly lane: 'fault' | 'phase' | 'gap' | 'load' | 'event';
  readonly title: string;
  readonly tone: 'good' | 'bad' | 'neutral';
};

/** An objective of the drill that is not of a service or data class: of the load. `kind` names what it bounds. */
export type LoadObjectiveRow = {
  readonly kind: 'errorRate' | 'p95';
  readonly phase: 'before' | 'during' | 'after';
  readonly target: number;
  readonly measured: number | null;
  readonly met: boolean | null;
};

/** A run that the drill began before or after its own: to get the fleet where the drill starts from, or back. */
export type BesideRow = {
  readonly when: 'before' | 'after';
  readonly kind: string;
  readonly runId: string | null;
  readonly outcome: string;
  readonly says: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
};

/** A file that was kept as evidence. */
export type EvidenceRow = {readonly name: string; readonly file: string; readonly bytes: number; readonly sha256: string};

/** An earlier drill of the same name on the same fleet, newest first. */
export type EarlierDrill = {
  readonly runId: string;
  readonly at: string;
  readonly verdict: string;
  readonly verdictCode: VerdictCode;
  readonly writeGapMs: number | null;
  readonly lostWrites: number | null;
  readonly phases: RunDocument['phases'];
};

/** The document of `drill run`, `drill show` and `drill report` (CLI.md): that of the run, and the drill's own part. */
export type DrillDocument = RunDocument & {
  readonly fleet: string | null;
  readonly verdict: 'passed' | 'failed' | 'unknown';
  readonly verdictCode: VerdictCode;
  readonly verdictReason: string;
  readonly drill: string | null;
  readonly description: string;
  readonly scenario: string | null;
  /** What was expected to happen, one sentence. */
  readonly expected: string | null;
  readonly steadyState: {readonly before: SteadyRow | null; readonly after: SteadyRow | null};
  readonly faults: readonly FaultRow[];
  readonly witness: WitnessRow | null;
  readonly stores: readonly StoreWitnessRow[];
  readonly load: LoadRow | null;
  readonly loadObjectives: readonly LoadObjectiveRow[];
  readonly timeline: readonly TimelineRow[];
  /** What nobody had planned, one sentence each, the gravest first. */
  readonly surprises: readonly string[];
  readonly beside: readonly BesideRow[];
  readonly evidence: readonly EvidenceRow[];
  readonly earlier: readonly EarlierDrill[];
};
