import {z} from 'zod';
import {durationMs} from '../../fleet/fields.ts';
import {defineHost, type Provider} from '../define.ts';

const command = z.array(z.string()).min(1);

/** Commands that control the machine of one member, each a program with its arguments: no shell sees them. Only `status` and `stop` are required. */
export const hostSchema = z.strictObject({
  status: command.describe('Exit code 0 = the server runs, 3 = it is stopped (as pg_ctl status says), anything else = not known.'),
  stop: command.describe('Stops it cleanly. Already stopped = success.'),
  start: command.optional().describe('Starts it as its data says. Already running = success.'),
  startAsStandby: command.optional().describe('Starts it as a standby of {upstream}; of nobody when that is empty.'),
  rebuild: command.optional().describe('Replaces its data by a base backup of {upstream} and starts it as its standby. May print bytes=N.'),
  rewind: command
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
