import {z} from 'zod';
import {durationMs, secretRef} from '../../fleet/fields.ts';
import {defineFault, type Provider} from '../define.ts';
import {FAULT_PLACE, FAULT_PLACEHOLDER} from './fault-placeholders.ts';

/** A program with its arguments. Whoever heals later knows neither the lease nor the arguments of the drill: only inject may ask for them. */
const command = (isInject: boolean) =>
  z
    .array(
      z.string().superRefine((argument, context) => {
        for (const [whole, name = ''] of argument.matchAll(FAULT_PLACEHOLDER)) {
          const known = FAULT_PLACE.some((each) => each === name) || (isInject && (name === 'lease' || name.startsWith('args.')));
          if (known) continue;
          const list = [...FAULT_PLACE, ...(isInject ? ['lease', 'args.NAME'] : [])].map((each) => `{${each}}`).join(', ');
          context.addIssue({code: 'custom', message: `${whole} is no placeholder of this command; known: ${list}`});
        }
      }),
    )
    .min(1);

const kindSchema = z.strictObject({
  inject: command(true).describe('Begins the fault. Exit code 0 = it is there. May use {lease} (seconds) and {args.NAME} of the drill.'),
  heal: command(false).describe('Ends the fault. Exit code 0 = done; nothing to end is success, too.'),
  prove: command(false).describe('Exit code 0 = no fault is there, 1 = it is there, anything else = it cannot tell.'),
  timeout: durationMs.prefault('30s').describe('Deadline of each of the three. Default 30s.'),
});

/** Faults by commands of the fleet file, each a program with its arguments: no shell sees them. */
export const execFaultSchema = z.strictObject({
  faults: z
    .record(z.string().regex(/^[a-z][a-z0-9-]{0,40}$/u, 'a kind of fault has lower case letters, digits and - only'), kindSchema)
    .describe('Kinds of faults, each with the commands that begin it, end it, and tell whether it is there.'),
  env: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/u, 'the name of a variable has letters, digits and _ only'), secretRef)
    .default({})
    .describe('Secrets that the commands find in their environment: an argument could be read by everybody.'),
});

export type ExecFaultConfig = z.output<typeof execFaultSchema>;
export type ExecFaultKind = z.output<typeof kindSchema>;

/** The `exec` injector: any command. */
export const execFaultProvider: Provider = defineFault<ExecFaultConfig>({
  kind: 'exec',
  schema: execFaultSchema,
  async create(config, context) {
    const {execFault} = await import('./fault.ts');
    return execFault(config, context);
  },
});
