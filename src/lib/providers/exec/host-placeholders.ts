/** What a host's command may ask for in braces: of the member itself… */
export const OWN = ['member', 'user', 'passfile'] as const;
/** … and of the one that it is to follow. */
export const UPSTREAM = ['upstream', 'upstream.host', 'upstream.port'] as const;

/** A value that a command may ask for by its name in braces. */
export type Placeholder = (typeof OWN)[number] | (typeof UPSTREAM)[number];

/** Words in braces. What else stands in braces, such as an awk program, is left as it is. */
export const PLACEHOLDER = /\{([a-z]+(?:\.[a-z]+)*)\}/g;
