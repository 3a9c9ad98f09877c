import {isRegionctlError, messageOf} from '../../errors.ts';
import {tlsTrouble} from '../tcp/connection-failure.ts';
import {NO_TLS} from './secure-line.ts';

/** Why a server could not be asked: a stable code, and half a sentence that follows its name ("us-east (…) …"). */
export type Trouble = {readonly code: string; readonly says: string};

const BY_CODE: Readonly<Record<string, Trouble>> = {
  ECONNREFUSED: {code: 'refused', says: 'refuses connections'},
  ECONNRESET: {code: 'reset', says: 'broke the connection off'},
  EPIPE: {code: 'reset', says: 'broke the connection off'},
  ETIMEDOUT: {code: 'timeout', says: 'did not answer in time'},
  EHOSTUNREACH: {code: 'unreachable', says: 'cannot be reached: no route to the host'},
  ENETUNREACH: {code: 'unreachable', says: 'cannot be reached: no route to the network'},
  ENOTFOUND: {code: 'dns', says: 'cannot be reached: its name does not resolve'},
  EAI_AGAIN: {code: 'dns', says: 'cannot be reached: its name does not resolve now'},
  [NO_TLS]: {code: 'no-tls', says: 'does not offer TLS'},
  '57P01': {code: 'reset', says: 'ended the session'},
  '57P02': {code: 'reset', says: 'ended the session after a crash'},
  '57P03': {code: 'starting', says: 'is starting up or shutting down'},
  '57014': {code: 'timeout', says: 'did not finish the statement in time'},
  '53300': {code: 'exhausted', says: 'has no free connection'},
  '42501': {code: 'privilege', says: 'does not grant what is needed to this role'},
  '3D000': {code: 'no-database', says: 'does not have this database'},
};

/** Tells apart what a connection or a statement failed with. Server messages are kept: they never hold a password. */
export function troubleOf(error: unknown): Trouble {
  const code = codeOf(error);
  const known = BY_CODE[code];
  if (known !== undefined)
    return code.startsWith('42') || code.startsWith('3D') ? {...known, says: `${known.says}: ${messageOf(error)}`} : known;
  if (code.startsWith('28')) return {code: 'auth', says: `refuses the login: ${messageOf(error)}`};
  if (/^[0-9A-Z]{5}$/.test(code)) return {code: 'sql', says: `answered with an error: ${messageOf(error)} (${code})`};
  const insecure = tlsTrouble(error);
  if (insecure !== null) return {code: 'tls', says: `gives no trusted TLS connection: ${insecure}`};
  // pg gives its own time-outs and broken connections no code.
  const message = messageOf(error);
  if (/timeout expired|read timeout|due to connection timeout/i.test(message)) return {code: 'timeout', says: 'did not answer in time'};
  if (/connection terminated|not queryable|socket hang up/i.test(message)) return {code: 'reset', says: 'broke the connection off'};
  return {code: 'error', says: `could not be asked: ${message}`};
}

const UNKNOWN_AUTHORITY = 'name the file of its authority in ca of the fleet file';
const ADVICE: Readonly<Record<string, string>> = {
  [NO_TLS]: 'set ssl = on there, or take tls: true out of the fleet file',
  CERT_HAS_EXPIRED: 'renew it',
  CERT_NOT_YET_VALID: 'compare the clocks of both machines',
  ERR_TLS_CERT_ALTNAME_INVALID: 'set serverName in the fleet file to a name that it is for, or have one made for this name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'name the file with it in ca of the fleet file',
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'set cert and key in the fleet file',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'give one in cert that its ssl_ca_file trusts',
};

/** What to do about the way to a PostgreSQL server, as half a sentence; null = nothing that is sure to help. */
export function adviceOf(error: unknown): string | null {
  if (codeOf(error) === '28000' && /^no pg_hba\.conf entry .*, no encryption$/.test(messageOf(error)))
    return 'where it takes only hostssl, set tls: true in the fleet file';
  return ADVICE[codeOf(error)] ?? null;
}

/** The code of an error (SQLSTATE or the system's), also out of the first of several connection attempts; '' when it has none. */
export function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Whether the server said that the role, or its own user on the machine, may not do that. */
export const isDenied = (error: unknown): boolean => isRegionctlError(error) && error.code === 'privilege';
