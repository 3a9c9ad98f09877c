import type {Socket} from 'node:net';
import type {Probe, ProbeResult} from '../../ports/probe.ts';
import {connectionFailure} from './connection-failure.ts';

/** Where to connect, and for how long to wait. */
export type TcpTarget = {readonly host: string; readonly port: number; readonly timeoutMs: number};

/** Opens a new connection each time and closes it at once. Good means that it was accepted; latency includes the name lookup. */
export function tcpProbe(target: TcpTarget): Probe {
  return {check: (signal) => connectOnce(target, signal)};
}

async function connectOnce({host, port, timeoutMs}: TcpTarget, signal: AbortSignal): Promise<ProbeResult> {
  const {connect} = await import('node:net');
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const peer = `${host}:${port}`;
  const started = performance.now();
  try {
    bounded.throwIfAborted();
    await connected(connect({host, port, signal: bounded}));
    const latencyMs = performance.now() - started;
    return {ok: true, latencyMs, code: 'ok', detail: `${peer} accepted the connection in ${latencyMs.toFixed(1)} ms`};
  } catch (error) {
    return connectionFailure(error, {peer, timeoutMs, signal: bounded});
  }
}

async function connected(socket: Socket): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      // Stays for the socket's life: an error after the connection must not become an uncaught one.
      socket.on('error', reject);
    });
  } finally {
    socket.destroy();
  }
}
