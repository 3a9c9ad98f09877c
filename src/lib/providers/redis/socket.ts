import {once} from 'node:events';
import type {Socket} from 'node:net';
import {bounded} from '../../awake.ts';
import {isRegionctlError, type RegionctlError, unavailable} from '../../errors.ts';
import type {SecretRef, SecretVault} from '../../fleet/secrets.ts';
import type {ProbeResult} from '../../ports/probe.ts';
import {connectionFailure} from '../tcp/connection-failure.ts';
import {secureOver} from '../tls/secure-over.ts';
import {prepare, type RedisTls} from './credentials.ts';

/** A server, and as whom it is asked. `label` is how a person knows it, and begins what is said of it. */
export type Place = {
  readonly label: string;
  readonly host: string;
  readonly port: number;
  /** null = the default user. */
  readonly user: string | null;
  readonly password: SecretRef | null;
  readonly tls: RedisTls | null;
};

/** A connection on which nothing was said yet. `plain` is below TLS, or `socket` itself. `login`: what AUTH is given; null = nobody logs in. */
export type Opened = {readonly socket: Socket; readonly plain: Socket; readonly login: readonly string[] | null};

/** Connects. `ms` = how long that may take; `saidMs` the deadline that is spoken of. Throws (69) by the label of the place. */
export async function openSocket(
  place: Place,
  secrets: SecretVault,
  {signal, ms, saidMs}: {readonly signal: AbortSignal; readonly ms: number; readonly saidMs: number},
): Promise<Opened> {
  const {host, port, tls, user} = place;
  const [{connect}, ready] = await Promise.all([import('node:net'), prepare(place, secrets)]);
  if ('trouble' in ready) throw asError(place, ready.trouble);
  const limit = bounded(signal, ms);
  let plain: Socket | null = null;
  let connected = false;
  try {
    limit.signal.throwIfAborted();
    plain = connect({host, port, noDelay: true});
    // Stays for the socket's life: an error between two questions must not become an uncaught one.
    plain.on('error', () => undefined);
    await once(plain, 'connect', {signal: limit.signal});
    connected = true;
    const socket = tls === null ? plain : await secureOver(plain, {...ready, serverName: tls.serverName}, limit.signal);
    return {socket, plain, login: ready.password === null ? null : [...(user === null ? [] : [user]), ready.password]};
  } catch (error) {
    plain?.destroy();
    if (isRegionctlError(error)) throw error;
    throw asError(place, connectionFailure(error, {peer: `${host}:${port}`, timeoutMs: saidMs, signal: limit.signal, connected}));
  } finally {
    limit.end();
  }
}

/** What went wrong, by the label of the place. */
export const asError = ({label}: Pick<Place, 'label'>, {code, detail}: Pick<ProbeResult, 'code' | 'detail'>): RegionctlError =>
  unavailable(code, `${label}: ${detail}`);
