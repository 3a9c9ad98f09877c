import type {ProbeResult} from '../../ports/probe.ts';

/** What is shown to a server that asks who we are. */
export type OwnCertificate = {readonly cert: string; readonly key: string};

/**
 * Reads the certificate of a file, and checks that the key (PEM) is its key. What is wrong with either says nothing of the endpoint: a handshake
 * would fail in words that blame the server.
 */
export async function readOwn(file: string, key: string): Promise<OwnCertificate | {readonly trouble: ProbeResult}> {
  const [{readFile}, {X509Certificate, createPrivateKey}] = await Promise.all([import('node:fs/promises'), import('node:crypto')]);
  const read = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => error);
  if (typeof read !== 'string') return unusable(file, `cannot be read (${read.code ?? 'unknown reason'})`);
  const certificate = attempt(() => new X509Certificate(read));
  if (certificate === null) return unusable(file, 'holds no certificate in PEM');
  const own = attempt(() => createPrivateKey(key));
  if (own === null) return unusable(file, 'has a key that is no private key in PEM, or wants a passphrase');
  return certificate.checkPrivateKey(own) ? {cert: read, key} : unusable(file, 'has a key that is not its own');
}

/** What node:crypto says may quote the key. */
function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}

const unusable = (file: string, why: string): {readonly trouble: ProbeResult} => ({
  trouble: {ok: null, latencyMs: null, code: 'probe-failed', detail: `the certificate ${file} ${why}`},
});
