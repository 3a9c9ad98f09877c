import type {Fleet} from '../fleet/fleet.ts';
import {HERE, type HealthDocument, type VantageView} from './document.ts';
import type {Verdict} from './verdict.ts';

/** An endpoint as each vantage point sees it; a vantage point that does not look at it has no view. */
export type MatrixRow = {
  readonly region: string;
  readonly endpoint: string;
  readonly probe: string;
  readonly verdict: Verdict;
  readonly code: string;
  readonly views: readonly VantageView[];
};

/** What `health matrix --json` prints: vantage points by endpoint. `region` null = nobody said where it stands. */
export type MatrixDocument = {
  readonly fleet: string;
  readonly at: string;
  readonly verdict: Verdict;
  readonly vantages: readonly {readonly vantage: string; readonly region: string | null}[];
  readonly endpoints: readonly MatrixRow[];
  readonly notes: readonly string[];
};

/** A check, turned: who sees what. */
export function matrixOf({fleet, at, verdict, regions, notes}: HealthDocument, {vantages}: Pick<Fleet, 'vantages'>): MatrixDocument {
  return {
    fleet,
    at,
    verdict,
    vantages: [{vantage: HERE, region: null}, ...vantages.map(({name, region}) => ({vantage: name, region}))],
    notes,
    endpoints: regions.flatMap(({region, endpoints}) =>
      endpoints.map((each) => ({
        region,
        endpoint: each.endpoint,
        probe: each.probe,
        verdict: each.verdict,
        code: each.code,
        views: each.vantages,
      })),
    ),
  };
}
