import type {Grown} from '../growth.ts';
import type {Need, Stretch} from '../scaling/schedule.ts';
import type {CostReport, CostRow, ScaledLoad} from './cost.ts';

/** A row of the document: what it costs, what is needed at each step, what runs when, and the steps for which the budget of replicas is too small. */
export type CostDocumentRow = CostRow & {
  readonly needs: readonly TimedNeed[];
  readonly runs: readonly {readonly from: string; readonly to: string; readonly replicas: number}[];
  readonly short: readonly TimedNeed[];
};

type TimedNeed = {readonly at: string; readonly load: number; readonly replicas: number};

/** What `capacity cost --json` prints. Money in `currency`, per month of 730 hours; times ISO 8601; shares and `saved` in percent. */
export type CostDocument = Omit<CostReport, 'rows'> & {
  readonly fleet: string;
  readonly at: string;
  readonly until: string;
  /** met: every objective; missed: at least one, or too few replicas are allowed; unknown: at least one could not be measured. */
  readonly verdict: 'met' | 'missed' | 'unknown';
  readonly spotShare: number;
  readonly rows: readonly CostDocumentRow[];
  readonly missing: readonly {readonly name: string; readonly region: string | null; readonly reason: string}[];
  /** The growth that all loads and transfers were multiplied by: what the next days would cost `at` its end; null = none. */
  readonly growth: {readonly text: string; readonly factor: number; readonly at: string} | null;
  /** Prices that are old, and what was left out of loads. */
  readonly warnings: readonly string[];
};

type Around = Pick<CostDocument, 'fleet' | 'spotShare' | 'missing' | 'warnings'> & {
  readonly from: number;
  readonly to: number;
  readonly growth: Grown | null;
};

/** The document of a report. `loads` = what was priced. */
export function costDocument(report: CostReport, loads: readonly ScaledLoad[], {from, to, growth, ...around}: Around): CostDocument {
  const rows = report.rows.map((row) => ({
    ...row,
    ...timesOf(loads.find((load) => load.series === row.series && load.region === row.region)),
  }));
  const isMissed = report.objectives.some(({met}) => met === false) || rows.some(({short}) => short.length > 0);
  const isUnknown = around.missing.length > 0 || report.perMonth === null || report.objectives.some(({met}) => met === null);
  return {
    ...report,
    ...around,
    ...{at: isoOf(from), until: isoOf(to), rows},
    growth: growth === null ? null : {text: growth.text, factor: growth.factor, at: isoOf(growth.at)},
    verdict: isMissed ? 'missed' : isUnknown ? 'unknown' : 'met',
  };
}

const isoOf = (at: number): string => new Date(at).toISOString();

function timesOf(load: ScaledLoad | undefined): Pick<CostDocumentRow, 'needs' | 'runs' | 'short'> {
  const timed = (needs: readonly Need[]): TimedNeed[] => needs.map(({at, ...need}) => ({at: isoOf(at), ...need}));
  const run = ({from, to, replicas}: Stretch) => ({from: isoOf(from), to: isoOf(to), replicas});
  const {needs, stretches, short} = load?.schedule ?? {needs: [], stretches: [], short: []};
  return {needs: timed(needs), runs: stretches.map(run), short: timed(short)};
}
