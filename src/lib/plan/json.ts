/** Any value that survives a round trip through JSON. Plans, journals and documents are made of nothing else. */
export type Json = null | boolean | number | string | readonly Json[] | {readonly [key: string]: Json};
