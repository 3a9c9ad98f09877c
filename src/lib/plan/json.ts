/** Any value that survives a round trip through JSON. Plans, journals and documents are made of nothing else. */
export type Json = null | boolean | number | string | readonly Json[] | {readonly [key: string]: Json};

/** Whether it is an object, no list. */
export function isRecord(value: Json | undefined): value is {readonly [key: string]: Json} {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The text, or null where it is something else. */
export function textOrNull(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
