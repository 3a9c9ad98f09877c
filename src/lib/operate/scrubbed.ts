/** Any plain data with `scrub` applied to each of its texts; names of fields stay. What has nothing to take out is answered as it is, and not copied: a live view has all of it looked through for every frame. */
export function scrubbed<T>(value: T, scrub: (text: string) => string): T {
  if (typeof value === 'string') return scrub(value) as T;
  if (typeof value !== 'object' || value === null) return value;
  const fields = value as Record<string, unknown>;
  let copy: Record<string, unknown> | null = null;
  for (const key in fields) {
    const clean = scrubbed(fields[key], scrub);
    if (clean === fields[key]) continue;
    copy ??= (Array.isArray(value) ? [...value] : {...value}) as Record<string, unknown>;
    copy[key] = clean;
  }
  return (copy ?? value) as T;
}
