import {z} from 'zod';
import {durationMs} from '../../fleet/fields.ts';
import {defineHost, type Provider} from '../define.ts';
import {OWN, PLACEHOLDER, type Placeholder, UPSTREAM} from './host-placeholders.ts';

/** A program with its arguments. `known` are the placeholders that it may use. */
const command = (...known: readonly Placeholder[]) =>
  z.array(
    z.string().superRefine((argument, context) => {
      for (const [whole, name] of argument.matchAll(PLACEHOLDER)) {
        if (known.some((each) => each === name)) continue;
        const message = `${whole} is no placeholder of this command; known: ${known.map((each) => `{${each}}`).join(', ')}`;
        context.addIssue({code: 'custom', message});
      }
    }),
  );

const alone = command(...OWN).min(1);
const together = command(...OWN, ...UPSTREAM).min(1);

/** Commands that control the machine of one member, each a program with its arguments: no shell sees them. Only `status` and `stop` are required. */
export const hostSchema = z.strictObject({
  status: alone.describe('Exit code 0 = the server runs, 3 = it is stopped (as pg_ctl status says), anything else = not known.'),
  stop: alone.describe('Stops it cleanly. Already stopped = success.'),
  start: alone.optional().describe('Starts it as its data says. Already running = success.'),
  startAsStandby: together.optional().describe('Starts it as a standby of {upstream}; of nobody when that is empty.'),
  rebuild: together
    .optional()
    .describe('Replaces its data by a base backup of {upstream} and starts it as its standby. May print bytes=N.'),
  rewind: together
    .optional()
    .describe('Takes its stopped data back to where it left {upstream} (pg_rewind) and starts it as its standby. May print bytes=N.'),
  timeout: durationMs.prefault('60s').describe('Deadline of each command. Default 60s.'),
  rebuildTimeout: durationMs.prefault('24h').describe('Deadline of rebuild and rewind. Default 24h.'),
});

export type HostConfig = z.output<typeof hostSchema>;

/** The `exec` host: PostgreSQL run by hand, controlled by commands such as `ssh` with `pg_ctlcluster`. */
export const execHostProvider: Provider = defineHost<HostConfig>({
  kind: 'exec',
  schema: hostSchema,
  async create(config, member, context) {
    const {execHost} = await import('./host.ts');
    return execHost(config, member, context);
  },
});
