import {z} from 'zod';

/** `role` null = its database does not run. `direct` leads past every fault. */
const region = z.looseObject({
  region: z.string(),
  role: z.enum(['primary', 'standby']).nullable(),
  http: z.string(),
  postgres: z.string(),
  direct: z.looseObject({http: z.string(), postgres: z.string()}),
  pids: z.array(z.int()),
});

/** `lab status --json`. */
export const labStatusSchema = z.looseObject({
  dir: z.string(),
  profile: z.string(),
  regions: z.array(region),
  frontDoor: z.string().nullable(),
  fleetFile: z.string(),
});
