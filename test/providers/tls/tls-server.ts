import {readFileSync} from 'node:fs';
import type {AddressInfo} from 'node:net';
import {join} from 'node:path';
import {createServer} from 'node:tls';

const DIR = join(import.meta.dirname, 'certificates');

/** The authority that signed the certificates; no system trusts it. */
export const CA_FILE = join(DIR, 'ca.pem');

/** A loopback server with one of the certificates: `good` (localhost, 127.0.0.1), `expired` (the same, in 2020), `other` (another name). */
export async function tlsServer(certificate: 'good' | 'expired' | 'other'): Promise<{port: number; close(): Promise<void>}> {
  const [key, cert] = ['server.key', `${certificate}.pem`].map((file) => readFileSync(join(DIR, file)));
  const server = createServer({key, cert}, (socket) => socket.on('error', () => undefined).resume());
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {port: (server.address() as AddressInfo).port, close: () => new Promise((done) => server.close(() => done()))};
}
