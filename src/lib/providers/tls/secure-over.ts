import {once} from 'node:events';
import {isIP, type Socket} from 'node:net';
import type {PeerCertificate, TLSSocket} from 'node:tls';

/** Whom to expect (a name or an address), which authorities to trust (null = the system's), and what to show to a server that asks who we are. */
export type Handshake = {
  readonly serverName: string;
  readonly ca: string | null;
  readonly own?: {readonly cert: string; readonly key: string} | null;
};

/** The handshake over a connection that is there. Throws what it fails with, or an AbortError; the caller destroys `plain` either way. */
export async function secureOver(plain: Socket, {serverName, ca, own = null}: Handshake, signal: AbortSignal): Promise<TLSSocket> {
  const tls = await import('node:tls');
  // An address is no name that could be asked for.
  const servername = isIP(serverName) === 0 ? {servername: serverName} : {};
  const checkServerIdentity = (_: string, certificate: PeerCertificate) => tls.checkServerIdentity(serverName, certificate);
  const secure = tls.connect({
    socket: plain,
    ...servername,
    checkServerIdentity,
    rejectUnauthorized: true,
    ...(ca === null ? {} : {ca}),
    ...own,
  });
  // Stays for the socket's life: an error after the handshake must not become an uncaught one.
  secure.on('error', () => undefined);
  try {
    await once(secure, 'secureConnect', {signal});
    return secure;
  } catch (error) {
    secure.destroy();
    throw error;
  }
}
