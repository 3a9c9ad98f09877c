import type {PeerCertificate, TLSSocket} from 'node:tls';

/** What a server's certificate says of itself. `warning` null = it is valid for long enough. */
export type Expiry = {
  readonly facts: {readonly subject: string | null; readonly issuer: string | null; readonly validTo: string};
  readonly valid: string;
  readonly warning: {readonly code: string; readonly says: string} | null;
};

const DAY_MS = 86_400_000;

/** Of the certificate that was shown on a connection. `peer` is host:port, for the sentence. */
export function expiryOf(socket: TLSSocket, peer: string, minValidMs: number): Expiry {
  const {valid_to: until, issuer, subject} = socket.getPeerCertificate();
  const validTo = new Date(until);
  const leftMs = validTo.getTime() - Date.now();
  const valid = `valid until ${validTo.toISOString().slice(0, 10)}, ${days(leftMs)} from now`;
  const says = `the certificate of ${peer} is ${valid}; at least ${days(minValidMs)} are wanted`;
  return {
    facts: {subject: nameOf(subject), issuer: nameOf(issuer), validTo: validTo.toISOString()},
    valid,
    warning: leftMs >= minValidMs ? null : {code: 'certificate-expires', says},
  };
}

const nameOf = (name: PeerCertificate['subject']): string | null => [name?.CN ?? name?.O ?? null].flat()[0] ?? null;

function days(ms: number): string {
  const whole = Math.floor(ms / DAY_MS);
  return `${whole} day${whole === 1 ? '' : 's'}`;
}
