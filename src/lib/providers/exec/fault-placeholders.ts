/** What every command of a fault may ask for in braces… */
export const FAULT_PLACE = ['region', 'kind'] as const;
/** Words in braces, and those of the drill's own arguments. What else stands in braces, such as an awk program, is left as it is. */
export const FAULT_PLACEHOLDER = /\{([a-z]+|args\.[A-Za-z][\w-]*)\}/gu;
