import {refused, unavailable} from '../../../errors.ts';
import type {SecretVault} from '../../../fleet/secrets.ts';
import type {Place} from '../socket.ts';
import type {Word} from './encode.ts';
import {keyText} from './key-text.ts';
import {type AuditLink, createLink, refusal} from './link.ts';
import {ServerError, type Value} from './replies.ts';

/** How a member tells when a key expires: PEXPIRETIME is there from 7.0 on; before, what is left is added to the member's own time. */
export type ExpiryCommand = 'PEXPIRETIME' | 'PTTL';

/**
 * One member of an audit. `link` is for what many ask at once; `large` for values that are read page by page under WATCH, which a transaction of another
 * would end.
 */
export type AuditMember = {
  readonly name: string;
  readonly place: Place;
  readonly secrets: SecretVault;
  readonly link: AuditLink;
  readonly large: AuditLink;
};

export function createAuditMember(place: Place, secrets: SecretVault): AuditMember {
  return {name: place.label, place, secrets, link: createLink(place, secrets), large: createLink(place, secrets)};
}

/** The answers to some commands, none of which the server may have anything against. */
export async function answers(
  {link, place, secrets}: AuditMember,
  database: number,
  commands: readonly (readonly Word[])[],
  signal: AbortSignal,
): Promise<readonly Value[]> {
  const values = await link.ask(database, commands, signal);
  for (const [index, value] of values.entries())
    if (value instanceof ServerError) throw refusal(place, secrets, value, String(commands[index]?.[0] ?? ''));
  return values;
}

/** The answers of a transaction: null = the server gave it up because a watched key was written to. Those to single commands may be errors. */
export function transaction({place, secrets}: AuditMember, value: Value | undefined): readonly Value[] | null {
  if (value === null) return null;
  if (value instanceof ServerError) throw refusal(place, secrets, value, 'EXEC');
  if (!Array.isArray(value)) throw unexpected(place, 'EXEC');
  return value as readonly Value[];
}

export const refusedBy = ({place, secrets}: AuditMember, error: ServerError, asked: string) => refusal(place, secrets, error, asked);

export const unexpected = ({label}: Place, asked: string) =>
  unavailable('unexpected-answer', `${label} answered ${asked} with something that is no answer of Redis to it`);

/** A key that cannot be compared makes its database unknown: to leave it out would be to call it equal. */
export const incomparable = ({name}: AuditMember, database: number, key: Buffer, type: string) =>
  refused(
    'not-comparable',
    `${name}: the key ${keyText(key)} of db${database} is a ${keyText(Buffer.from(type))}, a type that is not compared.`,
  );
