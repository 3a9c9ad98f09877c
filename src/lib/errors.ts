import {EXIT, type ExitCode} from './exit-codes.ts';

/** What an error can carry for people and scripts. */
export type ErrorDetails = {readonly suggestions?: readonly string[]; readonly cause?: unknown};

/**
 * The one error type of the program. `code` is stable and for scripts (errors are told apart by it, never by instanceof), `exit` the exit
 * code, `suggestions` what to do next. The message says what happened and with which value.
 */
export class RegionctlError extends Error {
  readonly code: string;
  readonly exit: ExitCode;
  readonly suggestions: readonly string[];

  constructor(code: string, exit: ExitCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : {cause: details.cause});
    this.name = 'RegionctlError';
    this.code = code;
    this.exit = exit;
    this.suggestions = details.suggestions ?? [];
  }
}

/** The caller gave something that cannot be: exit 64. */
export const usageError = (message: string, details?: ErrorDetails) => new RegionctlError('usage', EXIT.usage, message, details);
/** A server or provider that is needed does not answer: exit 69. */
export const unavailable = (code: string, message: string, details?: ErrorDetails) =>
  new RegionctlError(code, EXIT.unavailable, message, details);
/** A guard says no: exit 77. */
export const refused = (code: string, message: string, details?: ErrorDetails) => new RegionctlError(code, EXIT.refused, message, details);
/** State cannot be written or read: exit 73. */
export const stateError = (code: string, message: string, details?: ErrorDetails) => new RegionctlError(code, EXIT.state, message, details);
/** The lease is held by another: exit 75. */
export const leaseHeld = (message: string, details?: ErrorDetails) => new RegionctlError('lease-held', EXIT.leaseHeld, message, details);

/** Whether `error` is one of ours, also when it comes from a plugin's own copy of the kit. */
export function isRegionctlError(error: unknown): error is RegionctlError {
  return error instanceof Error && 'code' in error && 'exit' in error && typeof error.code === 'string' && typeof error.exit === 'number';
}

/** The store is another's now, or nobody's: no reason to try the same thing in another way. */
export const isNotOurs = (error: unknown): boolean =>
  isRegionctlError(error) && ['not-claimed', 'claim-lost', 'lease-held'].includes(error.code);

/** One line for people out of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return schemaTrouble(error) ?? (error.message === '' ? error.name : error.message);
}

/** What a schema found first, in one line: the message of its error is a list in JSON. Null = it is no error of a schema. */
function schemaTrouble(error: Error): string | null {
  const [first]: readonly unknown[] = 'issues' in error && Array.isArray(error.issues) ? error.issues : [];
  if (typeof first !== 'object' || first === null || !('message' in first) || !('path' in first) || !Array.isArray(first.path)) return null;
  return `${first.path.length === 0 ? '' : `${first.path.join('.')}: `}${String(first.message)}`;
}
