import {z} from 'zod';

/* The building blocks of the published documents: what every one of them means by a time, a duration and a size. */

/** ISO 8601 with a time zone. */
export const time = z.iso.datetime({offset: true});
/** A duration in ms, not negative; null = not measured, never 0. */
export const ms = z.number().min(0);
/** A size in bytes, a whole number, not negative. */
export const bytes = z.int().min(0);
/** A sentence for people. */
export const sentence = z.string();
/** A stable word for scripts. */
export const code = z.string().min(1);
/** How something stands; `unknown` is neither good nor bad. */
export const verdict = z.enum(['healthy', 'degraded', 'unhealthy', 'recovering', 'unknown']);
