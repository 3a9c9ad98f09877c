/** Where logs ended at earlier looks: what tells since when a standby lacks something. Times are monotonic, in ms. */
export type Trail = {
  /** `log` = whose it is, and of which history. */
  note(log: string, end: number, at: number): void;
  /** Seconds since the latest look at which `held` was everything there was: at most so much is missing. null = no look was that long ago. */
  secondsSince(log: string, held: number, now: number): number | null;
};

type Look = {readonly end: number; readonly at: number};

/** So many looks are kept of each log. */
const KEPT = 1000;

/** Kept in memory: a process that looks once remembers nothing. */
export function createTrail(): Trail {
  const looks = new Map<string, Look[]>();
  return {
    note: (log, end, at) => {
      const kept = looks.get(log) ?? [];
      if (kept.length >= KEPT) kept.shift();
      kept.push({end, at});
      looks.set(log, kept);
    },
    secondsSince: (log, held, now) => {
      const last = looks.get(log)?.findLast(({end}) => end <= held);
      return last === undefined ? null : Math.max(0, now - last.at) / 1000;
    },
  };
}
