import {z} from 'zod';
import {durationMs} from '../../fleet/fields.ts';
import {defineFault, type Provider} from '../define.ts';

const regionSchema = z.strictObject({
  pidFiles: z
    .array(z.string().min(1))
    .min(1)
    .describe('Files whose first line is the pid of a process, such as postmaster.pid; relative to this file. Its children belong to it.'),
  start: z
    .array(z.string())
    .min(1)
    .nullable()
    .default(null)
    .describe('Program and arguments that start what was killed, and come back; no shell sees them. Default: the region cannot be killed.'),
  timeout: durationMs.prefault('30s').describe('How long start may take, until every process runs again. Default 30s.'),
});

/** Processes of this machine, by region. */
export const signalSchema = z.strictObject({
  regions: z.record(z.string(), regionSchema).describe('Regions whose processes run on this machine.'),
});

export type SignalConfig = z.output<typeof signalSchema>;
export type SignalRegion = z.output<typeof regionSchema>;

/** Freezes and kills processes of this machine. */
export const signalProviders: readonly Provider[] = [
  defineFault<SignalConfig>({
    kind: 'signal',
    schema: signalSchema,
    async create(config, context) {
      const {signalFault} = await import('./signal-fault.ts');
      return signalFault(config, context);
    },
  }),
];
