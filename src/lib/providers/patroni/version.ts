/** The first Patroni that does not write the leader key of etcd v3 without looking (upstream 2689 and 2693). */
const COMPARES_KEY = [3, 0, 3] as const;

/** Whether a Patroni of this version (`3.0.2`, `4.0.0b1`) may take a leader key of etcd v3 that another member holds by now. Unreadable = yes. */
export function overwritesLeaderKey(version: string | null): boolean {
  const parts = numbersOf(version);
  if (parts === null) return true;
  for (const [index, wanted] of COMPARES_KEY.entries()) {
    const own = parts[index] ?? 0;
    if (own !== wanted) return own < wanted;
  }
  return false;
}

/** The older of two versions; one that cannot be read is the oldest. */
export function olderOf(a: string, b: string): string {
  const [left, right] = [numbersOf(a) ?? [], numbersOf(b) ?? []];
  for (let index = 0; index < 3; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference < 0 ? a : b;
  }
  return a;
}

function numbersOf(version: string | null): readonly number[] | null {
  const match = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(version ?? '');
  return match === null ? null : [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
}
