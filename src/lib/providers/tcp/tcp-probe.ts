import type {Socket} from 'node:net';
import {timeoutAwake} from '../../awake.ts';
import type {Probe, ProbeResult} from '../../ports/probe.ts';
import {connectionFailure} from './connection-failure.ts';

/** Where to connect, what to say and to hear (null, the default, = nothing), and for how long to wait. */
export type TcpTarget = {
  readonly host: string;
  readonly port: number;
  readonly send?: string | null;
  readonly expect?: string | null;
  readonly timeoutMs: number;
};

/** Of what is said no more than this is read. */
const HEARD_LIMIT = 64 * 1024;

/** Opens a new connection each time and closes it at once. Latency includes the name lookup, and the wait for what is expected. */
export function tcpProbe(target: TcpTarget): Probe {
  return {check: (signal) => connectOnce(target, signal)};
}

async function connectOnce(target: TcpTarget, signal: AbortSignal): Promise<ProbeResult> {
  const {host, port, send = null, expect = null, timeoutMs} = target;
  const {connect} = await import('node:net');
  const bounded = AbortSignal.any([signal, timeoutAwake(timeoutMs)]);
  const peer = `${host}:${port}`;
  const started = performance.now();
  let socket: Socket | null = null;
  let accepted = false;
  try {
    bounded.throwIfAborted();
    socket = connect({host, port, signal: bounded});
    await connected(socket);
    accepted = true;
    if (send !== null) socket.write(send);
    const bytes = expect === null ? null : await heard(socket, expect);
    const latencyMs = performance.now() - started;
    if (bytes !== null) {
      const detail = `${peer} said ${bytes} bytes that do not hold ${JSON.stringify(expect)}`;
      return {ok: false, latencyMs, code: 'unexpected-text', detail};
    }
    const said = expect === null ? 'accepted the connection' : 'said what is expected';
    return {ok: true, latencyMs, code: 'ok', detail: `${peer} ${said} in ${latencyMs.toFixed(1)} ms`};
  } catch (error) {
    return connectionFailure(error, {peer, timeoutMs, signal: bounded, connected: accepted});
  } finally {
    socket?.destroy();
  }
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    // Stays for the socket's life: an error after the connection must not become an uncaught one.
    socket.on('error', reject);
  });
}

/** null = the text came; else how many bytes came without it before the other side was done, or the limit was reached. */
async function heard(socket: Socket, wanted: string): Promise<number | null> {
  let said = Buffer.alloc(0);
  for await (const chunk of socket) {
    said = Buffer.concat([said, chunk as Buffer]).subarray(0, HEARD_LIMIT);
    if (said.includes(wanted)) return null;
    if (said.length === HEARD_LIMIT) break;
  }
  return said.length;
}
