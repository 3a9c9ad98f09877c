import {resolve} from 'node:path';
import type {SecretRef, SecretVault} from '../../fleet/secrets.ts';
import type {ProbeResult} from '../../ports/probe.ts';
import {type OwnCertificate, readOwn} from './own-certificate.ts';
import {readCa} from './read-ca.ts';

/** `caFile` null = the system's authorities; `own` is shown where the server asks for it. */
export type TlsSettings = {
  readonly serverName: string;
  readonly caFile: string | null;
  readonly own: {readonly file: string; readonly key: SecretRef} | null;
};

/** As the fleet file has it. */
export type TlsKeys = {
  readonly tls: boolean;
  readonly serverName?: string | undefined;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: SecretRef | undefined;
};

/** What the keys of a fleet file mean for one host; null = without TLS. Names of files are relative to `baseDir`. */
export function tlsSettings({tls, serverName, ca, cert, key}: TlsKeys, host: string, baseDir: string): TlsSettings | null {
  if (!tls) return null;
  return {
    serverName: serverName ?? host,
    caFile: ca === undefined ? null : resolve(baseDir, ca),
    own: cert === undefined || key === undefined ? null : {file: resolve(baseDir, cert), key},
  };
}

/** What a handshake needs before it begins. */
export type TlsFiles = {readonly ca: string | null; readonly own: OwnCertificate | null};

/**
 * Files and the key are read anew each time: they may have been renewed. `trouble` = the file that the field names cannot be used, which says nothing
 * of the server. Throws what the vault throws.
 */
export async function readTls(
  tls: Pick<TlsSettings, 'caFile' | 'own'> | null,
  secrets: SecretVault,
): Promise<TlsFiles | {readonly trouble: ProbeResult; readonly field: 'ca' | 'cert'}> {
  const own = tls?.own ?? null;
  const [trusted, shown] = await Promise.all([
    readCa(tls?.caFile ?? null),
    own === null ? null : secrets.reveal(own.key).then((key) => readOwn(own.file, key)),
  ]);
  if ('trouble' in trusted) return {...trusted, field: 'ca'};
  if (shown !== null && 'trouble' in shown) return {...shown, field: 'cert'};
  return {ca: trusted.ca, own: shown};
}
