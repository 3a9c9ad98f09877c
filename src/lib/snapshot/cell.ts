/**
 * One observed value. Unknown is a value of its own, with the reason; it is never 0, '' or "healthy".
 * `at` is the wall clock in epoch milliseconds when the value was read (or when reading it failed); `via` names the path it came by.
 */
export type Cell<T> =
  | {readonly known: true; readonly value: T; readonly at: number; readonly via: string}
  | {readonly known: false; readonly code: string; readonly reason: string; readonly at: number};

/** A cell that holds a value. */
export function known<T>(value: T, at: number, via: string): Cell<T> {
  return {known: true, value, at, via};
}

/** A cell that could not be read: `code` is stable and for scripts, `reason` is one sentence for people. */
export function unknown(code: string, reason: string, at: number): Cell<never> {
  return {known: false, code, reason, at};
}
