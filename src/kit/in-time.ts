/** What `inTime` answers when the time is over. */
export const LATE = Symbol('late');

/** What `work` answers, or LATE after `ms`. The work goes on then, and what becomes of it is nobody's business any more. */
export async function inTime<T>(work: Promise<T>, ms: number): Promise<T | typeof LATE> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(resolve, ms, LATE);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
