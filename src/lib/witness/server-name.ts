const PLAIN = /^[\x21-\x7e](?:[\x20-\x7e]{0,98}[\x21-\x7e])?$/;

/** Who answered, as an answer names it in its header `x-region` or its field `region`; null = it names nobody, or by what is no plain name. */
export function serverName(value: unknown): string | null {
  return typeof value === 'string' && PLAIN.test(value) ? value : null;
}
