/** What a bench has started and has to end again. Ended last things first, also at Ctrl+C and SIGTERM; ending must not wait for anything asynchronous. */
export type Belongings = {
  /** Keeps something that is ended by a function of it. */
  own<T>(thing: T, end: (thing: T) => void): T;
  end(): void;
};

export function createBelongings(): Belongings {
  const ends: (() => void)[] = [];
  const end = (): void => {
    for (let last = ends.pop(); last !== undefined; last = ends.pop()) last();
  };
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    process.once(signal, () => {
      end();
      process.exit(code);
    });
  return {
    own: (thing, endIt) => {
      ends.push(() => endIt(thing));
      return thing;
    },
    end,
  };
}
