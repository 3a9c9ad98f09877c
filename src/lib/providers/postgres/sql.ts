import {refused} from '../../errors.ts';

/** A name as SQL reads it literally. */
export const quoteIdent = (name: string): string => `"${plain(name).replaceAll('"', '""')}"`;

/** A text as an SQL literal, for the statements that take no parameters (ALTER SYSTEM, COPY). */
export function quoteLiteral(text: string): string {
  const doubled = plain(text).replaceAll("'", "''");
  return doubled.includes('\\') ? `E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`;
}

/** ALTER SYSTEM refuses newlines and NUL anyway; saying so here names the culprit. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f]/.test(text))
    throw refused('bad-name', `${JSON.stringify(text)} holds a control character: it cannot be used in a server setting.`);
  return text;
}
