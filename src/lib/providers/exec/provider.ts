import {z} from 'zod';
import {defineNotifier, type Provider} from '../define.ts';

const config = z.strictObject({run: z.array(z.string()).min(1).describe('Program and arguments. No shell sees them.')});
const DEFAULT_MS = 5000;

/** The `exec` notifier: a program that reads the notice from its stdin. */
export const execProviders: readonly Provider[] = [
  defineNotifier({
    kind: 'exec',
    schema: config,
    async create({run}, name, {fleet, secrets, baseDir}) {
      const {execNotifier} = await import('./notifier.ts');
      const timeoutMs = fleet.notifiers.find((notifier) => notifier.name === name)?.timeoutMs ?? DEFAULT_MS;
      return execNotifier({run, timeoutMs, secrets, cwd: baseDir});
    },
  }),
];
