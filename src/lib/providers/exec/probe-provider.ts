import {z} from 'zod';
import {defineProbe, type Provider} from '../define.ts';

const config = z.strictObject({
  run: z.array(z.string()).min(1).describe('Program with its arguments, no shell: a monitoring plugin, by its exit codes 0, 1, 2 and 3.'),
});

/** The `exec` probe: any monitoring plugin (Nagios, Icinga). */
export const execProbeProvider: Provider = defineProbe({
  kind: 'exec',
  schema: config,
  async create({run}, {region, endpoint, timeoutMs}, {secrets, baseDir}) {
    const {execProbe} = await import('./exec-probe.ts');
    return execProbe({run, cwd: baseDir, timeoutMs, env: {REGIONCTL_REGION: region, REGIONCTL_ENDPOINT: endpoint}, scrub: secrets.scrub});
  },
});
