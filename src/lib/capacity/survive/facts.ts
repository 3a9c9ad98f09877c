import type {DataClass, Region, RouteSpec} from '../../fleet/fleet.ts';
import type {Forecaster} from '../forecast/shapes.ts';
import type {Series} from '../series.ts';

/** What the fleet file says of one load: whether it goes where traffic goes, and what decides where it may. */
export type LoadRule = {
  /** The name of its series. */
  readonly name: string;
  /** Whether it goes along with traffic; false = it stays where it is (disk, slots). */
  readonly moves: boolean;
  /** The class of the data that it works on; null = it may be anywhere. */
  readonly dataClass: string | null;
  /** The routes whose traffic causes it; null = all. */
  readonly routes: readonly string[] | null;
  /** How large each region is, relative to the others; 1 where nothing is said. Converts loads that are a share of a region (percent). */
  readonly sizes: Readonly<Record<string, number>>;
  /** The regions that the fleet file gives it a series in. */
  readonly regions: readonly string[];
};

/** What of the fleet decides who takes whose load, and when that is too much. A `Fleet` has the first three. */
export type SurviveFacts = {
  readonly regions: readonly Pick<Region, 'name' | 'jurisdiction' | 'tier' | 'failoverOrder'>[];
  readonly routes: readonly Pick<RouteSpec, 'name' | 'weights'>[];
  readonly dataClasses: readonly Pick<DataClass, 'name' | 'allowed'>[];
  readonly loads: readonly LoadRule[];
  /** How long the others have to carry it. */
  readonly windowMs: number;
  /** Percent of a limit that should be left free; less is tight. */
  readonly headroom: number;
  /** Who takes nothing now though the fleet file counts on it. Absent = nobody. */
  readonly away?: readonly Absence[];
};

/** A region that takes nothing, of this route (null = of any), and why. */
export type Absence = {readonly region: string; readonly route: string | null; readonly reason: string};

/** Series by name and region, and why those that could not be had are not there. `at` = now, epoch ms. */
export type Loads = {
  readonly at: number;
  readonly series: readonly Series[];
  readonly missing: readonly {readonly name: string; readonly region: string | null; readonly reason: string}[];
  /** Those of `series` whose values may be too low, since the source says that its answer is not whole. Absent = none. */
  readonly partial?: Loads['missing'];
  readonly forecastOf: Forecaster;
};

/** The failover window where the fleet file says nothing. */
export const DEFAULT_WINDOW_MS = 4 * 3_600_000;
/** Percent of a limit that should be left free where the fleet file says nothing. */
export const DEFAULT_HEADROOM = 10;
