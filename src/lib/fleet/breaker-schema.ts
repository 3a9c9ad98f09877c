import {z} from 'zod';
import {durationMs} from './fields.ts';

const drainSchema = z
  .strictObject({
    routes: z.array(z.string()).min(1).describe('Routes that carry reads of this store.'),
    keep: z.int().min(1).default(1).describe('How many regions must go on serving each of them. Default 1: never the last one.'),
  })
  .nullable()
  .default(null)
  .describe(
    'Holds new traffic of these routes off a region whose links are open, and gives it back when they have closed. Only `replication lag --drain` does it. Default: nothing is held off.',
  );

const atLeastASecond = durationMs.refine((ms) => ms >= 1000, 'expected at least 1s');

/** The breaker of a store's links: its keys, with their defaults. */
export const breakerSchema = z
  .strictObject({
    warn: atLeastASecond.prefault('30s').describe('From this lag on a link is late. Default 30s.'),
    open: atLeastASecond.prefault('60s').describe('From this lag on a link is not relied on any more: no failover along it. Default 60s.'),
    readmit: durationMs.prefault('30s').describe('How long an open link must stay below warn before it is relied on again. Default 30s.'),
    drain: drainSchema,
  })
  .prefault({})
  .describe('When a replication link is too late to be relied on.');
