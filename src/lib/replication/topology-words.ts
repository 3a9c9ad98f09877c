/** Names as people write a list: `a`, `a and b`, `a, b and c`. */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? 'nobody') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** What somebody else said, with one full stop at its end. */
export function sentence(text: string): string {
  const said = text.trim().replace(/[.\s]+$/u, '');
  return `${said === '' ? 'no reason was given' : said}.`;
}
