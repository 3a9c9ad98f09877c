import {isRegionctlError, messageOf} from '../../errors.ts';
import type {Probe, ProbeResult} from '../../ports/probe.ts';
import type {EndpointPlace, ProviderContext} from '../define.ts';
import type {PostgresProbeConfig} from './provider.ts';
import {createSession} from './session.ts';

/** A fresh login and one statement each time: what a client would meet. Ends by `timeoutMs`, whatever the server does. */
export async function createProbe(config: PostgresProbeConfig, place: EndpointPlace, context: ProviderContext): Promise<Probe> {
  const {host, port, user, database, password, expect} = config;
  const label = `${place.region}/${place.endpoint}`;
  const target = {host, port, user, database, label, password: () => context.secrets.reveal(password)};
  const check = async (signal: AbortSignal): Promise<ProbeResult> => {
    const session = createSession(target);
    const began = context.clock.now();
    const limited = AbortSignal.any([signal, AbortSignal.timeout(place.timeoutMs)]);
    try {
      const rows = await session.rows<{recovering: boolean}>('select pg_is_in_recovery() as "recovering"', [], {
        signal: limited,
        timeoutMs: place.timeoutMs,
      });
      const latencyMs = context.clock.now() - began;
      return judge(rows[0]?.recovering === true ? 'standby' : 'primary', expect, latencyMs);
    } catch (error) {
      return failure(error, signal);
    } finally {
      // A hanging connection attempt ends by its own limit: the answer does not wait for it.
      session.close().catch(() => undefined);
    }
  };
  return {check};
}

function judge(role: 'primary' | 'standby', expect: PostgresProbeConfig['expect'], latencyMs: number): ProbeResult {
  const facts = {role};
  if (expect === 'any' || expect === role)
    return {ok: true, latencyMs, code: 'ok', detail: `Answered as ${role} in ${latencyMs.toFixed(1)} ms.`, facts};
  return {ok: false, latencyMs, code: 'wrong-role', detail: `Answered as ${role}, expected ${expect}.`, facts};
}

/** Our own cancellation and a missing secret say nothing about the endpoint. */
function failure(error: unknown, signal: AbortSignal): ProbeResult {
  const code = isRegionctlError(error) ? error.code : 'error';
  const couldNotRun = signal.aborted || code === 'secret-missing' || code === 'cancelled';
  return {ok: couldNotRun ? null : false, latencyMs: null, code, detail: messageOf(error)};
}
