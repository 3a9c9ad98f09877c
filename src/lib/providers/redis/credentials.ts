import {isRegionctlError, messageOf} from '../../errors.ts';
import type {SecretRef, SecretVault} from '../../fleet/secrets.ts';
import type {ProbeResult} from '../../ports/probe.ts';
import {type OwnCertificate, readOwn} from '../tls/own-certificate.ts';
import {readCa} from '../tls/read-ca.ts';

/** `caFile` null = the system's authorities; `own` is shown where the server asks for it, as Redis does unless told otherwise. */
export type RedisTls = {
  readonly serverName: string;
  readonly caFile: string | null;
  readonly own: {readonly file: string; readonly key: SecretRef} | null;
  readonly minValidMs: number;
};

/** Who we are, and whom we trust. Without a password nobody logs in; `tls` null = without TLS. */
export type Credentials = {readonly password: SecretRef | null; readonly tls: RedisTls | null};

/** What a connection needs before it is made. */
export type Ready = {readonly password: string | null; readonly ca: string | null; readonly own: OwnCertificate | null};

/** Secrets and files are read anew each time: they may have been renewed. `trouble` = one of them cannot be used, which says nothing of the server. */
export async function prepare({password, tls}: Credentials, secrets: SecretVault): Promise<Ready | {readonly trouble: ProbeResult}> {
  try {
    const own = tls?.own ?? null;
    const [revealed, trusted, shown] = await Promise.all([
      password === null ? null : secrets.reveal(password),
      readCa(tls?.caFile ?? null),
      own === null ? null : secrets.reveal(own.key).then((key) => readOwn(own.file, key)),
    ]);
    if ('trouble' in trusted) return trusted;
    if (shown !== null && 'trouble' in shown) return shown;
    return {password: revealed, ca: trusted.ca, own: shown};
  } catch (error) {
    if (!isRegionctlError(error)) throw error;
    return {trouble: {ok: null, latencyMs: null, code: error.code, detail: messageOf(error)}};
  }
}
