import {z} from 'zod';
import {durationMs} from './fields.ts';

const kind = z.string().min(1);

/** Somewhere else that looks at endpoints for us: the generic keys; the rest belongs to its provider. */
export const vantageSchema = z
  .looseObject({
    kind: kind.describe('Kind of vantage point.'),
    region: z
      .string()
      .nullable()
      .default(null)
      .describe('Region where it stands; all that stand in one region have one vote. Default: a vote of its own.'),
  })
  .describe('A vantage point besides this machine.');

/** Something that only we ourselves being cut off makes unreachable: the generic keys; the rest belongs to its probe. */
export const uplinkSchema = z
  .looseObject({
    probe: kind.describe('Kind of probe.'),
    timeout: durationMs.prefault('1s').describe('Deadline of the check. Default 1s.'),
  })
  .describe('Something that answers as long as this machine is not cut off itself.');

export const healthSchema = z
  .strictObject({
    interval: durationMs
      .refine((ms) => ms >= 100, 'expected at least 100ms')
      .prefault('5s')
      .describe('How often a live view asks each endpoint. Default 5s.'),
    fall: z.int().min(1).max(20).default(1).describe('Failed looks in a row until a region is unhealthy. Each look asks twice. Default 1.'),
    rise: z.int().min(1).max(20).default(2).describe('Good looks in a row until a region that was unhealthy is well again. Default 2.'),
    flapping: z
      .strictObject({
        changes: z
          .int()
          .min(2)
          .max(100)
          .default(6)
          .describe('Changes of state that make a region flap; an outage and its end are three. Default 6.'),
        within: durationMs
          .refine((ms) => ms >= 1000, 'expected at least 1s')
          .prefault('15m')
          .describe('In how much time. Default 15m.'),
      })
      .prefault({})
      .describe('When a region is said to flap.'),
  })
  .describe('How regions are judged.');
