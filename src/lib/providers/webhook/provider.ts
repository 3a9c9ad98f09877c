import {z} from 'zod';
import {httpUrl, secretRef} from '../../fleet/fields.ts';
import {defineNotifier, type Provider} from '../define.ts';

const config = z.strictObject({url: httpUrl, token: secretRef.nullable().default(null)});
const DEFAULT_MS = 5000;

/** The `webhook` notifier: one POST of JSON for each notice, with the token as bearer if there is one. */
export const webhookProviders: readonly Provider[] = [
  defineNotifier({
    kind: 'webhook',
    schema: config,
    async create({url, token}, name, {fleet, secrets}) {
      const {webhookNotifier} = await import('./webhook-notifier.ts');
      const timeoutMs = fleet.notifiers.find((notifier) => notifier.name === name)?.timeoutMs ?? DEFAULT_MS;
      return webhookNotifier({url, token, timeoutMs, secrets});
    },
  }),
];
