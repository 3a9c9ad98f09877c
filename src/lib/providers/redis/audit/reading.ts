import type {Content, Kind} from './content.ts';
import type {Expiry} from './expiry.ts';
import type {AuditMember, ExpiryCommand} from './member.ts';
import type {Value} from './replies.ts';

/** A key as it was at one moment. `value` as it was read; null = it is too large to be kept, or was not asked for. */
export type Row = {
  readonly key: Buffer;
  readonly kind: Kind;
  readonly expireAt: number | null;
  readonly content: Content;
  readonly value: readonly Value[] | null;
};

/** What came of a key: what it was, null = it is not there, or 'changing' = it was written to each time while it was read. */
export type ReadKey = Row | null | 'changing';

export type Reading = {
  readonly member: AuditMember;
  readonly database: number;
  readonly expiryCommand: ExpiryCommand;
  readonly expiry: Expiry;
  /** Values are kept for printing: all of them = up to the longest that is read, 'short' = those that are read in one piece. */
  readonly keep: 'none' | 'short' | 'all';
  readonly pace: () => Promise<void>;
  readonly signal: AbortSignal;
};

/** What PEXPIRETIME answers, or PTTL where `now` is the member's time. null = never. */
export function expireTime(answer: string, now: number): number | null | 'gone' {
  const number = Number(answer);
  return number === -2 ? 'gone' : number === -1 ? null : now + number;
}

/** What TIME answers, as epoch ms. */
export function timeOf(value: Value | undefined): number {
  const [seconds, micros] = Array.isArray(value) ? value : [];
  return Number(String(seconds)) * 1000 + Math.floor(Number(String(micros)) / 1000);
}
