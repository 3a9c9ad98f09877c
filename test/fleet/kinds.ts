import {z} from 'zod';
import {hostPort, httpUrl, port, secretRef} from '../../src/lib/fleet/fields.ts';
import type {KindProvider} from '../../src/lib/fleet/kinds.ts';
import {addressTls, checkTls} from '../../src/lib/providers/tls/fields.ts';

const text = z.string().min(1);
const control = z.strictObject({control: httpUrl.describe('Address of the control port.'), token: secretRef.describe('Bearer token.')});

/** Stand-ins for the built-in providers: the schemas of the contract, and nothing behind them. */
export const standIns: readonly KindProvider[] = [
  {
    port: 'probe',
    kind: 'http',
    schema: z.strictObject({url: httpUrl.describe('What is fetched.'), expectStatus: z.int().min(100).max(599).default(200)}),
  },
  // Not strict on purpose: the loader must be strict for it.
  {port: 'probe', kind: 'tcp', schema: z.object({host: text, port})},
  {
    port: 'probe',
    kind: 'postgres',
    schema: z.strictObject({host: text, port, user: text, password: secretRef.describe('Password.'), database: text}),
  },
  {
    port: 'store',
    kind: 'postgres',
    schema: z
      .strictObject({database: text, user: text, password: secretRef.describe('Password.'), replicationUser: text, ...addressTls})
      .superRefine((given, context) => checkTls(context, given)),
    memberSchema: z.strictObject({
      address: hostPort.describe('Address of the server.'),
      upstreams: z.record(z.string(), hostPort).default({}),
      replicationPassfile: text.optional(),
    }),
  },
  {port: 'vantage', kind: 'watcher', schema: z.strictObject({url: httpUrl.describe('Where it is.')})},
  {port: 'handler', kind: 'ledger', schema: z.strictObject({url: httpUrl.optional(), token: secretRef.optional()})},
  {
    port: 'metrics',
    kind: 'prometheus',
    schema: z.strictObject({url: httpUrl.describe('Where it is.'), token: secretRef.optional()}),
  },
  {port: 'metrics', kind: 'csv', schema: z.strictObject({file: text})},
  {port: 'metrics', kind: 'history', schema: z.strictObject({})},
  {port: 'router', kind: 'lab', schema: control},
  {port: 'fault', kind: 'lab', schema: control},
  {
    port: 'host',
    kind: 'lab',
    schema: z.strictObject({url: httpUrl.describe('Address of the agent.'), token: secretRef.describe('Bearer token.')}),
  },
];
