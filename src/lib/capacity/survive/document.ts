import type {Loads, SurviveFacts} from './facts.ts';
import {isRelative, type LoadRow, type LoadVerdict} from './judge-load.ts';
import type {FleetNow, RouteNow} from './now.ts';
import type {StrandedLoad, Survival} from './survive.ts';

/** A row of the document: times ISO 8601, loads in `unit`, shares 0 to 1, headroom in percent. null = not known. */
export type SurviveRow = Omit<LoadRow, 'says' | 'peakAt' | 'breaksAt'> & {
  readonly peakAt: string | null;
  readonly breaksAt: string | null;
  readonly reason: string;
};

/** One combination of lost regions. `first` = the row that decides. */
export type SurviveCombination = {
  readonly lose: readonly string[];
  readonly verdict: LoadVerdict;
  readonly reason: string;
  readonly first: SurviveRow | null;
  readonly rows: readonly SurviveRow[];
  readonly stranded: readonly StrandedLoad[];
  readonly notes: readonly string[];
};

/** What `capacity survive --json` prints. */
export type SurviveDocument = {
  readonly fleet: string;
  readonly at: string;
  readonly until: string;
  readonly windowMs: number;
  readonly headroom: number;
  readonly verdict: LoadVerdict;
  readonly combinations: readonly SurviveCombination[];
  /** Series that could not be had. */
  readonly missing: readonly {readonly name: string; readonly region: string | null; readonly reason: string}[];
  /** What each route sends now (`weights` null = not known, for this reason), and the last verdict on each region. */
  readonly now: {
    readonly routes: readonly RouteNow[];
    readonly regions: readonly {readonly region: string; readonly verdict: string | null; readonly at: string | null}[];
  };
  /** Who takes nothing now, and what was assumed because nobody knows. */
  readonly assumed: readonly string[];
  readonly notes: readonly string[];
};

/** What a document is made of. */
export type Surveyed = {
  readonly facts: SurviveFacts;
  readonly loads: Loads;
  readonly found: readonly Survival[];
  readonly now: FleetNow;
  readonly assumed: readonly string[];
};

const WORST_FIRST: readonly LoadVerdict[] = ['breaks', 'unknown', 'tight', 'survives'];

/** The document of some combinations. None at all is `unknown`: nothing was looked at. */
export function surviveDocument(fleet: string, {facts, loads, found, now, assumed}: Surveyed): SurviveDocument {
  const combinations = found.map(
    ({says, first, rows, ...rest}): SurviveCombination => ({
      ...rest,
      reason: says,
      first: first === null ? null : rowOf(first),
      rows: rows.map(rowOf),
    }),
  );
  return {
    fleet,
    at: new Date(loads.at).toISOString(),
    until: new Date(loads.at + facts.windowMs).toISOString(),
    ...{windowMs: facts.windowMs, headroom: facts.headroom},
    verdict: WORST_FIRST.find((verdict) => combinations.some((each) => each.verdict === verdict)) ?? 'unknown',
    combinations,
    missing: loads.missing,
    now: {routes: now.routes, regions: now.verdicts.map(({region, verdict, at}) => ({region, verdict, at: timeOf(at)}))},
    assumed,
    notes: notesOf(facts, loads),
  };
}

const timeOf = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

function rowOf({says, peakAt, breaksAt, ...row}: LoadRow): SurviveRow {
  return {...row, peakAt: timeOf(peakAt), breaksAt: timeOf(breaksAt), reason: says};
}

/** What the reader has to know of how loads were added up. */
function notesOf({loads: rules}: SurviveFacts, {series}: Loads): readonly string[] {
  return rules.flatMap(({name, sizes}) => {
    const own = series.filter((each) => each.name === name);
    const [first] = own;
    if (first === undefined) return [];
    const sizeText = Object.entries(sizes).map(([region, size]) => `${region} ${size}`);
    const differ = new Set(Object.values(sizes)).size > 1;
    return [
      ...(isRelative(first.unit) && differ
        ? [`${name} is in ${first.unit}: what moves is converted by the sizes of the regions (${sizeText.join(', ')})`]
        : []),
      ...(first.grain === 'hourly'
        ? []
        : [`${name} has ${first.grain} values: peaks within a ${first.grain === 'daily' ? 'day' : 'week'} are not seen`]),
    ];
  });
}
