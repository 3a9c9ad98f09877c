import type {Verdict} from '../health/verdict.ts';
import type {MessageReading} from '../ports/store.ts';
import type {Cell} from '../snapshot/cell.ts';
import type {Rival} from '../snapshot/rivals.ts';
import type {Member} from '../snapshot/snapshot.ts';
import type {LagRow, LinkState} from './lag.ts';

/**
 * How the links of a store lie, live or not: `pair` = two members; `star` = all others hang on one; `chain` = one after the other; `tree` = any other without
 * a way round; `ring` = one way round; `mesh` = everybody with everybody; `partial-mesh` = several ways round; `disconnected` = not even
 * by links that are broken is everybody connected; `unknown` = the links could not be read.
 */
export type Shape = 'single' | 'pair' | 'star' | 'chain' | 'tree' | 'ring' | 'mesh' | 'partial-mesh' | 'disconnected' | 'unknown';

/** How much a finding weighs. A `note` is worth knowing and no fault: it changes no verdict. */
export type Severity = 'note' | 'warning' | 'error' | 'unknown';

/** What a link carries. */
export type LinkKind = 'physical' | 'logical' | 'replica' | 'messages';

/** One thing that was judged: a stable word, one sentence, and what to do; `fix` null = nothing needs doing. */
export type TopologyFinding = {readonly code: string; readonly severity: Severity; readonly reason: string; readonly fix: string | null};

/** A member and its place among the links. */
export type TopologyMember = {
  readonly member: string;
  readonly region: string;
  readonly site: string | null;
  readonly jurisdiction: string;
  /** As it answered; `unknown` = it did not. */
  readonly role: 'primary' | 'standby' | 'peer' | 'unknown';
  readonly code: string;
  readonly reason: string;
  readonly ageMs: number;
  /** Who sends to it, by every link that is there, live or not. */
  readonly upstreams: readonly string[];
  /** Links between it and where the changes come from; 0 = they begin here, null = no link leads to it from there. */
  readonly depth: number | null;
  readonly links: number;
  readonly liveLinks: number;
  /** Whether it answered and changes get to it by live links; null = that is not known. */
  readonly copy: boolean | null;
};

/** A link as `replication lag` judges it. `live` = it carries changes: neither broken nor unknown, nor is its sender silent. */
export type TopologyLink = {
  readonly from: string;
  readonly to: string;
  readonly link: string | null;
  readonly kind: LinkKind;
  readonly state: LinkState;
  readonly live: boolean;
  /** The jurisdictions it leads from and to, where they differ; null = it crosses none. */
  readonly crosses: readonly [string, string] | null;
  readonly replayBytes: number | null;
  readonly seconds: number | null;
  readonly ageMs: number;
  readonly code: string;
  readonly reason: string;
};

/** A store in the document. `verdict`: the worst of its findings, `reason`: what that one says. */
export type StoreTopology = {
  readonly store: string;
  readonly engine: string;
  readonly shape: Shape;
  readonly verdict: Verdict;
  readonly reason: string;
  readonly members: readonly TopologyMember[];
  readonly links: readonly TopologyLink[];
  readonly findings: readonly TopologyFinding[];
};

/** The document of `replication topology`. Its verdict and reason are those of the worst store. */
export type TopologyDocument = {
  readonly at: string;
  readonly verdict: Verdict;
  readonly reason: string;
  readonly stores: readonly StoreTopology[];
};

/** What is needed of a row of `replication lag`. */
export type LinkForTopology = Pick<
  LagRow,
  'store' | 'from' | 'to' | 'state' | 'code' | 'reason' | 'seconds' | 'replayBytes' | 'ageMs' | 'link'
> & {readonly kind?: LinkKind; readonly messages?: MessageReading};

/** A member as the fleet file places it. */
export type PlacedMember = {
  readonly name: string;
  readonly region: string;
  readonly site: string | null;
  readonly jurisdiction: string;
  /** 0 = hot, 1 = warm, 2 = cold. */
  readonly tier: number;
};

/** A data class of the store. `allowed` null = anywhere. */
export type PlacedClass = {readonly name: string; readonly allowed: readonly string[] | null};

/** One store: what the fleet file says, and what was seen at `at` (epoch ms). */
export type StoreForTopology = {
  readonly store: string;
  readonly engine: string;
  readonly at: number;
  readonly members: readonly PlacedMember[];
  readonly classes: readonly PlacedClass[];
  /** A cell for each member; one that is missing is unknown. */
  readonly seen: Readonly<Record<string, Cell<Member>>>;
  readonly links: readonly LinkForTopology[];
  /** Why the links could not be read; null = they were. */
  readonly linksTrouble: {readonly code: string; readonly reason: string} | null;
};

/** A store with everything that findings are made from. */
export type JudgedStore = Pick<StoreTopology, 'store' | 'engine' | 'shape' | 'members' | 'links'> &
  Pick<StoreForTopology, 'classes' | 'linksTrouble'> & {
    readonly tiers: Readonly<Record<string, number>>;
    /** Those that answer as primaries beside another one, and can acknowledge nothing. */
    readonly inert: readonly Rival[];
  };
