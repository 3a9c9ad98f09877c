import type {ProbeResult} from '../../ports/probe.ts';

/** The certificates of a file; null = the system's are to be trusted. */
export type Trusted = {readonly ca: string | null} | {readonly trouble: ProbeResult};

/**
 * Reads the authorities to trust. A file that cannot be read, or holds no certificate, says nothing of the endpoint: without this check Node would
 * trust the system's authorities instead of an empty file's, and nobody for one that is no PEM.
 */
export async function readCa(file: string | null): Promise<Trusted> {
  if (file === null) return {ca: null};
  const [{readFile}, {X509Certificate}] = await Promise.all([import('node:fs/promises'), import('node:crypto')]);
  try {
    const ca = await readFile(file, 'utf8');
    const [first] = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(ca) ?? [];
    if (first === undefined) return unusable(file, 'holds no certificate in PEM');
    new X509Certificate(first);
    return {ca};
  } catch (error) {
    return unusable(file, `cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason'})`);
  }
}

const unusable = (file: string, why: string): Trusted => ({
  trouble: {ok: null, latencyMs: null, code: 'probe-failed', detail: `the file of trusted certificates ${file} ${why}`},
});
