import type {Reading} from '../capacity/series.ts';

/** From when to when, both inclusive, epoch ms, and how far apart values should be, in ms. What has readings of its own answers those instead. */
export type MetricsRange = {readonly from: number; readonly to: number; readonly stepMs: number};

/** The readings of one set of labels, in whatever order the source has them. Values may be NaN or infinite: what becomes of them is told later. */
export type LabelledReadings = {readonly labels: Readonly<Record<string, string>>; readonly readings: readonly Reading[]};

/**
 * What a source has. Nothing that matches is no error: `sets` is empty. `remarks` = what it says about its answer, one sentence each. `partial`: it says that parts
 * of it are missing, so that sums may be too low; absent = no.
 */
export type MetricsAnswer = {readonly sets: readonly LabelledReadings[]; readonly remarks: readonly string[]; readonly partial?: boolean};

/**
 * Metrics port: series of numbers over time. It only reads. The query is in the source's own language. Throws a RegionctlError when the source cannot be asked
 * or refuses the query, and the reason of `signal` when that is aborted.
 */
export type Metrics = {
  series(query: string, range: MetricsRange, signal: AbortSignal): Promise<MetricsAnswer>;
  /** Lets go of connections and files. Absent = it has none. */
  close?(): Promise<void>;
};
