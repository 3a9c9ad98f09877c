import {isRegionctlError, messageOf} from '../../errors.ts';
import type {SecretRef, SecretVault} from '../../fleet/secrets.ts';
import type {ProbeResult} from '../../ports/probe.ts';
import {readTls, type TlsFiles, type TlsSettings} from '../tls/credentials.ts';

/** Redis asks for a certificate of ours unless told otherwise. */
export type RedisTls = TlsSettings & {readonly minValidMs: number};

/** Who we are, and whom we trust. Without a password nobody logs in; `tls` null = without TLS. */
export type Credentials = {readonly password: SecretRef | null; readonly tls: RedisTls | null};

/** What a connection needs before it is made. */
export type Ready = TlsFiles & {readonly password: string | null};

/** Secrets and files are read anew each time: they may have been renewed. `trouble` = one of them cannot be used, which says nothing of the server. */
export async function prepare({password, tls}: Credentials, secrets: SecretVault): Promise<Ready | {readonly trouble: ProbeResult}> {
  try {
    const [revealed, files] = await Promise.all([password === null ? null : secrets.reveal(password), readTls(tls, secrets)]);
    return 'trouble' in files ? {trouble: files.trouble} : {...files, password: revealed};
  } catch (error) {
    if (!isRegionctlError(error)) throw error;
    return {trouble: {ok: null, latencyMs: null, code: error.code, detail: messageOf(error)}};
  }
}
