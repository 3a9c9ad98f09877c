import type {Fleet} from '../fleet/fleet.ts';
import type {EndpointNow, MonitorView} from '../health/monitor.ts';
import type {Verdict} from '../health/verdict.ts';
import type {LossDocument, LossRow} from '../replication/loss.ts';
import type {RunDocument} from '../run/document.ts';
import type {Sampled} from '../snapshot/sampled.ts';
import type {Member, StoreSnapshot} from '../snapshot/snapshot.ts';
import type {LagWatchView, LinkNow} from './lag-watch.ts';
import type {ReadyDocument, ReadyPair} from './ready.ts';
import type {RunSummary} from './runs.ts';

/** What is left of a limit now, in percent of it. `at` = when the value was measured, epoch ms. */
type Left = {
  readonly series: string;
  readonly region: string;
  readonly value: number;
  readonly limit: number;
  readonly unit: string;
  readonly left: number;
  readonly at: number;
};

/** A limit that nobody knows the current value of. */
type NotLeft = Pick<Left, 'series' | 'region'> & {readonly left: null; readonly reason: string};

/** One limit of one region. */
export type LimitNow = Left | NotLeft;

/** What is left of the limit of a region that has least left, of those that are known. `unread`: the others, with why; so what is left is at most that. */
export type Headroom = Left & {readonly unread: readonly Pick<NotLeft, 'series' | 'reason'>[]};

/** The runs that can be told of: the newest first, and all of the one that goes on. */
export type RunsNow = {readonly list: readonly RunSummary[]; readonly active: RunDocument | null};

/** Everything that the sources of a dashboard said last. `headroom` null = the fleet file has no load with a limit. */
export type DashboardParts = {
  readonly fleet: Fleet;
  /** Epoch ms. */
  readonly at: number;
  readonly health: MonitorView;
  readonly lag: LagWatchView;
  /** How often links are read, in ms. Default 1000. */
  readonly linksEveryMs?: number;
  readonly stores: Readonly<Record<string, Sampled<StoreSnapshot>>>;
  /** By store and member: what each was last seen as. Default: nobody was seen. */
  readonly lastRoles?: ReadonlyMap<string, ReadonlyMap<string, LastRole>>;
  readonly routers: Readonly<Record<string, Sampled<Readonly<Record<string, number>>>>>;
  readonly loss: Readonly<Record<string, Sampled<LossDocument>>>;
  readonly ready: Sampled<ReadyDocument>;
  readonly headroom: Sampled<readonly LimitNow[]> | null;
  readonly runs: Sampled<RunsNow>;
};

/** A route's traffic to one region. `share` in percent of what it sends; null = not known, and `why`. `at` = when it was read, epoch ms. */
export type TrafficNow = {readonly route: string; readonly share: number | null; readonly at: number | null; readonly why: string | null};

/** A member of a store. `role` null = not known now, and `why`. */
export type RoleNow = {
  readonly store: string;
  readonly member: string;
  readonly role: Member['role'] | null;
  readonly writable: boolean | null;
  readonly at: number | null;
  readonly why: string | null;
  /** What it was last seen as while this dashboard looks, and when (epoch ms); null = it was not seen. */
  readonly last: LastRole | null;
};

/** What a member was last seen as. `at` is epoch ms. */
export type LastRole = {readonly role: Member['role']; readonly at: number};

/** A value with its time; `why` = why it is not known, or not known anew. */
export type AgedCell<T> = {readonly value: T | null; readonly at: number | null; readonly why: string | null};

/** One region, with everything that is known of it. Times are epoch ms. */
export type DashboardRegion = {
  readonly region: string;
  readonly jurisdiction: string;
  /** null = not judged yet. */
  readonly verdict: Verdict | null;
  readonly since: number | null;
  readonly reason: string;
  /** When the oldest answer that the verdict stands on came. */
  readonly seenAt: number | null;
  /** How often the one of its endpoints is asked that is asked most rarely, in ms. */
  readonly askedEveryMs: number;
  readonly traffic: readonly TrafficNow[];
  readonly roles: readonly RoleNow[];
  /** The worst link that leads there. */
  readonly lag: LinkNow | null;
  /** What would be lost if it were promoted now, store by store. Of a region that holds every primary: value null without a reason. */
  readonly loss: AgedCell<readonly LossRow[]>;
  /** The ways by which it could take over now. */
  readonly ready: AgedCell<readonly ReadyPair[]>;
  /** What has least room; null value without a reason = nothing is measured there. */
  readonly headroom: AgedCell<Headroom>;
};

/** Something that happened while looking. `at` is epoch ms; `seq` counts them all, from 1. */
export type DashboardEvent = {
  readonly seq: number;
  readonly at: number;
  readonly kind: 'region' | 'link' | 'store' | 'run';
  readonly text: string;
  readonly bad: boolean;
};

/** Everything that a dashboard shows. */
export type DashboardView = {
  readonly fleet: string;
  readonly at: number;
  readonly verdict: Verdict | null;
  readonly regions: readonly DashboardRegion[];
  readonly links: readonly LinkNow[];
  /** How often they are read, in ms. */
  readonly linksEveryMs: number;
  readonly endpoints: readonly EndpointNow[];
  readonly run: RunDocument | null;
  readonly runs: readonly RunSummary[];
  /** The last ones, oldest first. */
  readonly events: readonly DashboardEvent[];
  readonly notes: readonly string[];
  /** What the views of health and of links need, as they are. */
  readonly health: MonitorView;
  readonly lag: LagWatchView;
};
