import {once} from 'node:events';
import type {Socket} from 'node:net';
import type {Handshake} from '../tls/secure-over.ts';
import type {Address} from './conninfo.ts';

/** Code of the error for a server that takes no TLS. */
export const NO_TLS = 'PG_NO_TLS';

/* SSLRequest of the protocol: its length and its code. */
const REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/**
 * Connects, asks for TLS and makes the handshake: a stream for pg, which only has to log in over it. pg's own way asks for the certificate of the
 * host, whatever serverName is. `hear` is given the socket at once. Takes as long as the server does, or until `signal`; throws the system's or
 * TLS's error, or one with the code NO_TLS.
 */
export async function secureLine(
  {host, port}: Address,
  trust: Handshake,
  hear: (socket: Socket) => void,
  signal: AbortSignal,
): Promise<Socket> {
  const [{connect}, {secureOver}] = await Promise.all([import('node:net'), import('../tls/secure-over.ts')]);
  signal.throwIfAborted();
  const plain = connect({host, port, noDelay: true});
  // Stays for the socket's life: an error after the handshake must not become an uncaught one.
  plain.on('error', () => undefined);
  hear(plain);
  try {
    await once(plain, 'connect', {signal});
    await askForTls(plain, signal);
    return asConnectable(await secureOver(plain, trust, signal));
  } catch (error) {
    plain.destroy();
    throw error;
  }
}

/** One byte, S or N, and nothing behind it: what came before the handshake may be anybody's. */
async function askForTls(plain: Socket, signal: AbortSignal): Promise<void> {
  const answer = firstData(plain, signal);
  plain.write(REQUEST);
  const said = (await answer).toString('latin1');
  if (said === 'S') return;
  if (said === 'N') throw Object.assign(new Error('the server does not offer TLS'), {code: NO_TLS});
  throw new Error('it answered the request for TLS with something that is no answer of PostgreSQL');
}

function firstData(socket: Socket, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const data = (chunk: Buffer): void => {
      // What follows is for whoever takes the socket over.
      socket.pause();
      done(() => resolve(chunk));
    };
    const error = (reason: Error): void => done(() => reject(reason));
    const close = (): void => done(() => reject(new Error('Connection terminated unexpectedly')));
    const abort = (): void => done(() => reject(signal.reason));
    const done = (then: () => void): void => {
      socket.off('data', data).off('error', error).off('close', close);
      signal.removeEventListener('abort', abort);
      then();
    };
    socket.on('data', data).on('error', error).on('close', close);
    signal.addEventListener('abort', abort, {once: true});
  });
}

/** pg connects its stream by itself, and logs in when that says so. */
function asConnectable(secure: Socket): Socket {
  return Object.assign(secure, {
    connect: () => {
      process.nextTick(() => secure.emit('connect'));
      return secure;
    },
  });
}
