/** Order by the bytes of UTF-8, as PostgreSQL's collation "C" and the tie-break of the lab's triggers have it. */
export const byBytes = (a: string, b: string): number => (a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b)));

/** The order in which jsonb keeps the keys of an object: the shorter first, then by bytes. */
export const byJsonbKey = (a: string, b: string): number => Buffer.byteLength(a) - Buffer.byteLength(b) || byBytes(a, b);

/** "a", "a and b", "a, b and c". */
export function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`;
}
