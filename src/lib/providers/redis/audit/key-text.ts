/** What a person sees on a line as it is: letters, marks, digits, punctuation, symbols, and single spaces within. */
const PRINTABLE = /^[\p{L}\p{N}\p{P}\p{S}][\p{L}\p{M}\p{N}\p{P}\p{S}]*(?: [\p{L}\p{N}\p{P}\p{S}][\p{L}\p{M}\p{N}\p{P}\p{S}]*)*$/u;
const SHOWN = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

const strict = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});

/**
 * The bytes of a key or value as one text: printable UTF-8 as it is, all else in double quotes, with `\"`, `\\` and `\xHH` for each other byte. No two
 * keys have one text: what begins with a double quote is always quoted.
 */
export function keyText(bytes: Buffer): string {
  const text = decoded(bytes);
  if (text !== null && !text.startsWith('"') && PRINTABLE.test(text)) return text;
  return `"${text === null ? escapeBytes(bytes) : [...text].map(escapeCharacter).join('')}"`;
}

/** The bytes that `keyText` made a text of. */
export function keyBytes(text: string): Buffer {
  if (!text.startsWith('"')) return Buffer.from(text);
  const pieces = text.slice(1, -1).matchAll(/\\x([0-9a-f]{2})|\\(["\\])|([^\\]+)/gu);
  return Buffer.concat(
    [...pieces].map(([, hex, escaped, plain]) => (hex === undefined ? Buffer.from(escaped ?? plain ?? '') : Buffer.from(hex, 'hex'))),
  );
}

function decoded(bytes: Buffer): string | null {
  try {
    return strict.decode(bytes);
  } catch {
    return null;
  }
}

function escapeCharacter(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  return SHOWN.test(character) ? character : [...Buffer.from(character)].map(hexOf).join('');
}

/** Of what is no UTF-8 only ASCII is shown. */
function escapeBytes(bytes: Buffer): string {
  return [...bytes].map((byte) => (byte >= 0x20 && byte < 0x7f ? escapeCharacter(String.fromCharCode(byte)) : hexOf(byte))).join('');
}

const hexOf = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`;
