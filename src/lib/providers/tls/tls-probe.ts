import {once} from 'node:events';
import type {Socket} from 'node:net';
import type {TLSSocket} from 'node:tls';
import {timeoutAwake} from '../../awake.ts';
import type {Probe, ProbeResult} from '../../ports/probe.ts';
import {connectionFailure} from '../tcp/connection-failure.ts';
import {expiryOf} from './expiry.ts';
import {readCa} from './read-ca.ts';
import {secureOver} from './secure-over.ts';

/** Where to connect and which certificate to expect. `minValidMs`: one that expires sooner is a warning. */
export type TlsTarget = {
  readonly host: string;
  readonly port: number;
  readonly serverName: string;
  readonly caFile: string | null;
  readonly minValidMs: number;
  readonly timeoutMs: number;
};

/** One handshake per check over a connection of its own. Latency counts from the name lookup to the end of the handshake. */
export function tlsProbe(target: TlsTarget): Probe {
  return {check: (signal) => shakeHands(target, signal)};
}

async function shakeHands(target: TlsTarget, signal: AbortSignal): Promise<ProbeResult> {
  const {host, port, timeoutMs, caFile} = target;
  const [{connect}, trusted] = await Promise.all([import('node:net'), readCa(caFile)]);
  if ('trouble' in trusted) return trusted.trouble;
  const bounded = AbortSignal.any([signal, timeoutAwake(timeoutMs)]);
  const peer = `${host}:${port}`;
  const started = performance.now();
  let plain: Socket | null = null;
  let secure: TLSSocket | null = null;
  let accepted = false;
  try {
    bounded.throwIfAborted();
    plain = connect({host, port, signal: bounded});
    // Stays for the socket's life: an error after the handshake must not become an uncaught one.
    plain.on('error', () => undefined);
    await once(plain, 'connect', {signal: bounded});
    accepted = true;
    const connectMs = performance.now() - started;
    secure = await secureOver(plain, {serverName: target.serverName, ca: trusted.ca}, bounded);
    const latencyMs = performance.now() - started;
    return judged(target, secure, {connectMs, latencyMs});
  } catch (error) {
    return connectionFailure(error, {peer, timeoutMs, signal: bounded, connected: accepted});
  } finally {
    secure?.destroy();
    plain?.destroy();
  }
}

function judged(target: TlsTarget, socket: TLSSocket, {connectMs, latencyMs}: {connectMs: number; latencyMs: number}): ProbeResult {
  const peer = `${target.host}:${target.port}`;
  const {facts, valid, warning} = expiryOf(socket, peer, target.minValidMs);
  const times = {protocol: socket.getProtocol(), connectMs, handshakeMs: latencyMs - connectMs};
  const detail = `${peer} shows a trusted certificate, ${valid}`;
  return {ok: true, latencyMs, code: 'ok', detail, facts: {...facts, ...times}, ...(warning === null ? {} : {warning})};
}
