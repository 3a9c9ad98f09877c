import type {Series} from '../../../src/lib/capacity/series.ts';

/** The ways in which disks fill up. */
export const KINDS = [
  ...(['linear', 'slope break', 'level jump', 'saw-tooth', 'clean-ups', 'weekly', 'noisy'] as const),
  ...(['accelerating', 'exponential', 'backfilled'] as const),
] as const;
export type Kind = (typeof KINDS)[number];

/** A disk: its history by the hour, and how many days after its end a reading first reaches the limit. */
export type Disk = {readonly kind: Kind; readonly series: Series; readonly fullInDays: number};

/** Hours in a day. */
const DAY = 24;
const HOUR_MS = 3_600_000;
const BEGIN = Date.UTC(2026, 0, 5);

/**
 * `each` disks of each kind, the same ones for the same seed. All are full between 4 and 150 days after their history. `roughness` multiplies the noise.
 */
export function disks(seed: number, each: number, roughness = 1): readonly Disk[] {
  const random = randomOf(seed);
  return KINDS.flatMap((kind) =>
    Array.from({length: each}, () => {
      for (;;) {
        const disk = attempt(kind, random, roughness);
        if (disk !== null) return disk;
      }
    }),
  );
}

/** Between 0 and 1 (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** null = it is full too early or too late. */
function attempt(kind: Kind, random: () => number, roughness: number): Disk | null {
  const between = (least: number, most: number) => least + (most - least) * random();
  const limit = Math.round(between(50, 4000));
  const days = Math.round(between(35, 120));
  // In shares of the limit, and days.
  const shape = SHAPES[kind]({between, days, slope: between(0.15, 1) / 100});
  const noise = noiseOf(kind, between, random);
  const daily = between(0, 0.008);
  const total = (days + 200) * DAY;
  const values = new Float64Array(total);
  for (let hour = 0; hour < total; hour++)
    values[hour] = shape(hour / DAY) + daily * Math.sin((2 * Math.PI * (hour - 8)) / DAY) + roughness * noise();
  // Lifted so that it fills up some time after the history: a peak that just touches the limit would be a matter of luck.
  const aim = Math.round((days + between(6, 110)) * DAY);
  const lift = 1 - (values[aim] ?? 0);
  if (lift + Math.min(...values) < 0) return null;
  const full = values.findIndex((value) => value + lift >= 1);
  const fullInDays = full / DAY - days;
  if (full < 0 || fullInDays < 4 || fullInDays > 150) return null;
  const history = values.slice(0, days * DAY).map((value) => Number(((value + lift) * limit).toFixed(3)));
  return {kind, fullInDays, series: diskSeries(history, limit)};
}

/** A series of hourly readings of a disk in GB. */
export function diskSeries(values: Float64Array | readonly number[], limit: number | null): Series {
  return {
    ...{name: 'disk', region: 'eu-west-1', unit: 'GB', purpose: 'disk', limit, grain: 'hourly', timeZone: 'UTC', remarks: []},
    starts: Float64Array.from(values, (_, hour) => BEGIN + hour * HOUR_MS),
    values: Float64Array.from(values),
  };
}

type Between = (least: number, most: number) => number;
type ShapeOptions = {readonly between: Between; readonly days: number; readonly slope: number};

/** Level without noise at a day, in shares of the limit. */
const SHAPES: Readonly<Record<Kind, (options: ShapeOptions) => (day: number) => number>> = {
  linear:
    ({slope}) =>
    (day) =>
      slope * day,
  'slope break': ({between, days, slope}) => {
    const at = between(0.35, 0.85) * days;
    const factor = between(0, 1) < 0.6 ? between(2, 5) : between(0.2, 0.5);
    return (day) => slope * (Math.min(day, at) + factor * Math.max(0, day - at));
  },
  'level jump': ({between, days, slope}) => {
    const at = between(0.3, 0.9) * days;
    const jump = between(0.05, 0.25) * (between(0, 1) < 0.5 ? 1 : -1);
    return (day) => slope * day + (day >= at ? jump : 0);
  },
  'saw-tooth': ({between, slope}) => {
    const period = Math.round(between(3, 12));
    const tooth = between(0.04, 0.2);
    const phase = between(0, period);
    return (day) => slope * day + tooth * (((day + phase) % period) / period);
  },
  'clean-ups': ({between, slope}) => {
    // Somebody cleans up when they happen to think of it.
    const every = between(5, 15);
    const removes = between(0.3, 0.7) * every * slope;
    const times = Array.from({length: 200}, () => between(0.3, 1.7) * every);
    for (let i = 1; i < times.length; i++) times[i] = (times[i] ?? 0) + (times[i - 1] ?? 0);
    return (day) => slope * day - removes * times.findIndex((at) => at > day);
  },
  weekly: ({between, slope}) => {
    const height = between(0.02, 0.08);
    const weekend = between(0, 7);
    return (day) => slope * day - (Math.floor(day + weekend) % 7 >= 5 ? height : 0);
  },
  noisy:
    ({slope}) =>
    (day) =>
      slope * day,
  accelerating: ({between, days, slope}) => {
    // The slope at the end of the history is so many times that at its beginning.
    const times = between(2, 5);
    return (day) => slope * (day + ((times - 1) * day * day) / (2 * days));
  },
  exponential: ({between, slope}) => {
    const doubles = between(40, 150);
    return (day) => (slope * doubles * (2 ** (day / doubles) - 1)) / Math.LN2;
  },
  backfilled: ({between, days, slope}) => {
    const at = between(0.25, 0.85) * days;
    const lasts = between(1, 5);
    const size = between(0.08, 0.3);
    return (day) => slope * day + size * Math.min(1, Math.max(0, (day - at) / lasts));
  },
};

/** Noise that lasts for hours (an autoregression of the first order). */
function noiseOf(kind: Kind, between: Between, random: () => number): () => number {
  const deviation = kind === 'noisy' ? between(0.008, 0.02) : between(0.0005, 0.003);
  const lasting = between(0, 0.9);
  const fresh = deviation * Math.sqrt(1 - lasting * lasting);
  let level = 0;
  return () => {
    // Box and Muller 1958.
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    level = lasting * level + fresh * normal;
    return level;
  };
}
