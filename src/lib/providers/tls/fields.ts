import {z} from 'zod';
import {secretRef} from '../../fleet/fields.ts';
import {type Given, onlyWith} from '../../fleet/only-with.ts';

const text = z.string().min(1);

const files = {
  ca: text.optional().describe('File with the certificates (PEM) that are trusted instead of those of the system.'),
  cert: text.optional().describe('File with the certificate (PEM) that is shown to a server that asks for one. Default: none.'),
  key: secretRef.optional().describe('Its private key (PEM).'),
};

/** The keys of whoever asks one `host`. */
export const hostTls = {
  tls: z.boolean().default(false).describe('Whether the port speaks TLS.'),
  serverName: text.optional().describe('Name that the certificate must be for. Default: host.'),
  ...files,
};

/** The keys of a store, for the `address` of each of its members. */
export const addressTls = {
  tls: z.boolean().default(false).describe('Whether the ports of address speak TLS.'),
  serverName: text.optional().describe('Name that every certificate must be for. Default: the host of each address.'),
  ...files,
};

/** Refuses what is of no use: anything without `tls: true`, cert without key, key without cert. `further`: more keys that are only for TLS. */
export function checkTls(context: z.core.$RefinementCtx, given: Given, secure = given.tls === true, further: readonly string[] = []): void {
  for (const field of ['serverName', 'ca', 'cert', 'key', ...further]) onlyWith(context, given, field, 'tls: true', secure);
  onlyWith(context, given, 'cert', 'key', given.key !== undefined);
  onlyWith(context, given, 'key', 'cert', given.cert !== undefined);
}
