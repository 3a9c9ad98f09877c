/** The matchers that the suites use: those of Vitest, Jest and the package `expect`, or three lines around node:assert. */
export type Matchers = {
  toBe(expected: unknown): void;
  toEqual(expected: unknown): void;
  toMatchObject(expected: object): void;
};

/** What a suite needs of a test runner: `{describe, it, expect}` of Vitest or Jest, or those of node:test with any `expect` that has the matchers. */
export type Runner = {
  describe(name: string, body: () => void): void;
  it(name: string, body: () => Promise<void>): void;
  expect(value: unknown): Matchers;
};

/** Defines one test of a suite, on a world of its own. */
export type WorldTest<W> = (name: string, body: (world: W) => Promise<void>) => void;

/** Tests that make a world first and close it last, whatever happens. */
export function worldTests<W extends {close?(): Promise<void>}>({it}: Runner, makeWorld: () => Promise<W>): WorldTest<W> {
  return (name, body) =>
    it(name, async () => {
      const world = await makeWorld();
      try {
        await body(world);
      } finally {
        await world.close?.();
      }
    });
}

/** How an attempt ended. An error of the program has a `code` and an `exit`; any other error has `code` and `exit` undefined. */
export type Outcome = {readonly refused: boolean; readonly code?: unknown; readonly exit?: unknown; readonly message?: string};

/** Tries something that should be refused. */
export async function outcomeOf(attempt: () => unknown): Promise<Outcome> {
  try {
    await attempt();
    return {refused: false};
  } catch (error) {
    const {code, exit, message} = Object(error) as {code?: unknown; exit?: unknown; message?: unknown};
    return {refused: true, code, exit, message: String(message ?? error)};
  }
}

/** `refused` when the attempt fails as the program's errors do: with a code, an exit code and a message. Else what happened instead. */
export async function verdictOf(attempt: () => unknown): Promise<string> {
  const {refused, code, exit, message = ''} = await outcomeOf(attempt);
  if (!refused) return 'it was accepted';
  const told = typeof code === 'string' && code !== '' && typeof exit === 'number' && exit !== 0 && message !== '';
  return told ? 'refused' : `refused without a code and an exit code: ${message}`;
}

/** What `work` answers; throws when it takes longer than `ms`. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it had not ended after ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks until `look` answers true, for at most `ms`. Answers whether it did. */
export async function becomesTrue(look: () => Promise<boolean>, ms = 20_000): Promise<boolean> {
  const end = performance.now() + ms;
  for (;;) {
    if (await look()) return true;
    if (performance.now() > end) return false;
    await pause(25);
  }
}

/** Lets real time pass: leases and timeouts of a real server cannot be hurried. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
