import type {MissingSeries} from './load-series.ts';

/** A series of the fleet file that could not be had: `code` for scripts, `reason` for people. */
export type MissingDocument = {readonly name: string; readonly region: string | null; readonly code: string; readonly reason: string};

/** A series that could not be had, as documents have it. */
export function missingDocument({spec, place, code, reason}: MissingSeries): MissingDocument {
  return {name: spec.name, region: place?.region ?? null, code, reason};
}
