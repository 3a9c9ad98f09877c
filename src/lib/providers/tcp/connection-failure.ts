import type {ProbeResult} from '../../ports/probe.ts';

/** What a failed connection is judged by. `peer` is host:port, for the sentence; `signal` the one that bounded the attempt. */
export type Attempt = {
  readonly peer: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Whether a connection had been accepted by then. Default: it had not. */
  readonly connected?: boolean;
};

/**
 * The result for an error of a socket: `timeout`, `refused`, `reset`, `unreachable`, `dns`, `tls` or `error`. A cancelled attempt says nothing
 * of the endpoint: `ok` null, code `interrupted`.
 */
export function connectionFailure(error: unknown, attempt: Attempt): ProbeResult {
  const stood = attempt.connected === true ? ({connected: true} as const) : {};
  if (attempt.signal.aborted) return {...endedBySignal(attempt), ...stood};
  const symbol = symbolOf(error);
  const code = codeOf(symbol);
  return {...failure(code, sentence(code, symbol, attempt.peer)), ...stood};
}

/** A failed check without a latency: nothing came that could be timed. */
export function failure(code: string, detail: string): ProbeResult {
  return {ok: false, latencyMs: null, code, detail};
}

function endedBySignal({signal, peer, timeoutMs}: Attempt): ProbeResult {
  const reason: unknown = signal.reason;
  const timedOut = reason instanceof Error && reason.name === 'TimeoutError';
  if (timedOut) return failure('timeout', `no answer from ${peer} within ${timeoutMs} ms`);
  return {ok: null, latencyMs: null, code: 'interrupted', detail: `the check of ${peer} was cancelled before it answered`};
}

/** Node's symbol of a system, TLS or parser error. The first attempt speaks for all when several addresses were tried. */
function symbolOf(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN';
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error instanceof AggregateError) return symbolOf(error.errors[0]);
  return error.name;
}

const CODES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETDOWN: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  ENODATA: 'dns',
  ESERVFAIL: 'dns',
  EPROTO: 'tls',
};
const TLS = /^(ERR_TLS_|ERR_SSL_|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH)/;

function codeOf(symbol: string): string {
  return CODES[symbol] ?? (TLS.test(symbol) ? 'tls' : 'error');
}

/** What is wrong with a certificate, where Node's symbol says it to few. */
const CERTIFICATE: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'nobody who is trusted here has signed its certificate',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'nobody who is trusted here has signed its certificate',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'nobody who is trusted here has signed its certificate',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'it wants a certificate of ours',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'it does not trust our certificate',
};

/** What TLS failed with, such as `its certificate has expired (CERT_HAS_EXPIRED)`; null = it was not TLS. */
export function tlsTrouble(error: unknown): string | null {
  const symbol = symbolOf(error);
  if (codeOf(symbol) !== 'tls') return null;
  const known = CERTIFICATE[symbol];
  return known === undefined ? symbol : `${known} (${symbol})`;
}

function sentence(code: string, symbol: string, peer: string): string {
  const said: Readonly<Record<string, string>> = {
    refused: `${peer} refused the connection`,
    reset: `${peer} closed the connection before it answered (${symbol})`,
    timeout: `the connection to ${peer} timed out (${symbol})`,
    unreachable: `there is no way to ${peer} (${symbol})`,
    dns: `the name in ${peer} could not be resolved (${symbol})`,
    tls: `no trusted TLS connection to ${peer}${CERTIFICATE[symbol] === undefined ? '' : `: ${CERTIFICATE[symbol]}`} (${symbol})`,
  };
  return said[code] ?? `the connection to ${peer} failed (${symbol})`;
}
