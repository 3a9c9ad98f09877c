/**
 * What a source that is asked again and again said last. Times are epoch ms. `value` and `at` are null before its first answer. `failing` = it has not
 * answered since: what stands in `value` is old, and how old is said by `at`.
 */
export type Sampled<T> = {
  readonly value: T | null;
  readonly at: number | null;
  readonly failing: {readonly code: string; readonly reason: string; readonly since: number} | null;
};
