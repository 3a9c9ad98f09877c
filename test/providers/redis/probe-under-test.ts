import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {createVault} from '../../../src/lib/fleet/vault.ts';
import type {Probe, ProbeResult} from '../../../src/lib/ports/probe.ts';
import {builtinProviders} from '../../../src/lib/providers/builtin.ts';
import type {ProbeProvider} from '../../../src/lib/providers/define.ts';
import {realClock as clock} from '../../health/real-clock.ts';
import {fleet} from '../../health/samples.ts';

/** The provider as the fleet file finds it. */
export const redisProvider = builtinProviders.find(({port, kind}) => port === 'probe' && kind === 'redis') as ProbeProvider;

export const PASSWORD = 'only-for-tests+4711';
export const CERTIFICATES = join(import.meta.dirname, '../tls/certificates');
export const certificate = (name: string): string => join(CERTIFICATES, `${name}.pem`);

/** A reference to the environment, as the fleet file has it. */
export const env = (name: string): string => `$${`{env:${name}}`}`;

const values = {
  PASSWORD,
  WRONG: 'not-the-password',
  KEY: readFileSync(join(CERTIFICATES, 'server.key'), 'utf8'),
  BAD_KEY: 'no-key-at-all',
};

/** The vault that the probes get. */
export const vault = createVault({baseDir: '/', env: values});

/** The probe that an endpoint of a fleet file gets: keys as written there. */
export function probeOf(keys: Readonly<Record<string, unknown>>, timeoutMs = 2000): Promise<Probe> {
  const context = {fleet: fleet([]), secrets: vault, clock, baseDir: CERTIFICATES};
  const config = redisProvider.schema.parse({host: '127.0.0.1', ...keys});
  return redisProvider.create(config, {region: 'eu', endpoint: 'cache', timeoutMs}, context);
}

/** One check of it. No result may hold a secret. */
export async function check(keys: Readonly<Record<string, unknown>>, timeoutMs?: number): Promise<ProbeResult> {
  const result = await (await probeOf(keys, timeoutMs)).check(new AbortController().signal);
  const leaked = Object.entries(values).filter(([, secret]) => JSON.stringify(result).includes(secret));
  if (leaked.length > 0) throw new Error(`the result shows ${leaked.map(([name]) => name).join()}`);
  return result;
}
