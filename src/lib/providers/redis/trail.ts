/** Where logs ended at earlier looks: what tells since when a standby lacks something. Times are monotonic, in ms. */
export type Trail = {
  /** `log` = whose it is, and of which history. */
  note(log: string, end: number, at: number): void;
  /** Seconds since the latest look at which `held` was everything there was: so much is missing at most, and an eighth less at least. null = no look was that long ago. */
  secondsSince(log: string, held: number, now: number): number | null;
};

/** The last look at which a log ended there. */
export type Look = {readonly end: number; readonly at: number};

/** Looks are kept as far apart as an eighth of their age: some hundred, however often it is looked and for however long. */
const APART = 8;

/** Kept in memory: a process that looks once remembers nothing. */
export function createTrail(): Trail {
  const looks = new Map<string, readonly Look[]>();
  return {
    note: (log, end, at) => void looks.set(log, withLook(looks.get(log) ?? [], {end, at})),
    secondsSince: (log, held, now) => {
      const last = looks.get(log)?.findLast(({end}) => end <= held);
      return last === undefined ? null : Math.max(0, now - last.at) / 1000;
    },
  };
}

/** With one more look, oldest first. */
export function withLook(looks: readonly Look[], look: Look): readonly Look[] {
  const last = looks.at(-1);
  if (last === undefined || look.end > last.end) return thinned([...looks, look], look.at);
  // Two looks may be under way at the same time, and the later one be answered first.
  if (look.at < last.at) return looks;
  // A log that is shorter than it was is another one.
  return look.end < last.end ? [look] : [...looks.slice(0, -1), look];
}

/** Without those whose neighbours are near one another already, for their age: what is told by the one before is only a little more. */
function thinned(looks: readonly Look[], now: number): readonly Look[] {
  const kept: Look[] = [];
  for (const [index, look] of looks.entries()) {
    const [before, after] = [kept.at(-1), looks[index + 1]];
    const isNear = before !== undefined && after !== undefined && after.at - before.at <= (now - look.at) / APART;
    if (!isNear) kept.push(look);
  }
  return kept;
}
