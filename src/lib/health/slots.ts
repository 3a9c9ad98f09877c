/** How much may be under way at once: `each` of one kind, `all` together. */
export type SlotLimits = {readonly each: number; readonly all: number};

export type Slots = {
  /** Begins at once, or when one of those before it ends. What waits for a place of its own kind does not hold up another kind. */
  take<T>(kind: string, work: () => Promise<T>): Promise<T>;
  /** How many are under way. */
  busy(): number;
};

type Waiting = {readonly kind: string; readonly begin: () => void};

/** Bounds how much is under way at once, per kind and overall, first come first served. */
export function createSlots({each, all}: SlotLimits): Slots {
  const busy = new Map<string, number>();
  let total = 0;
  let waiting: Waiting[] = [];
  const isFree = (kind: string): boolean => total < all && (busy.get(kind) ?? 0) < each;
  const count = (kind: string, by: 1 | -1): void => {
    busy.set(kind, (busy.get(kind) ?? 0) + by);
    total += by;
  };
  const next = (): void => {
    const index = waiting.findIndex(({kind}) => isFree(kind));
    const [first] = index === -1 ? [] : waiting.splice(index, 1);
    if (waiting.length === 0) waiting = [];
    first?.begin();
  };
  const run = async <T>(kind: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } finally {
      count(kind, -1);
      next();
    }
  };
  return {
    take: (kind, work) => {
      if (isFree(kind)) {
        count(kind, 1);
        return run(kind, work);
      }
      return new Promise((resolve) => {
        waiting.push({
          kind,
          begin: () => {
            count(kind, 1);
            resolve(run(kind, work));
          },
        });
      });
    },
    busy: () => total,
  };
}
