import {afterAwake} from '../lib/awake.ts';

/** What `inTime` answers when the time is over. */
export const LATE = Symbol('late');

/** What `work` answers, or LATE after `ms`. The work goes on then, and what becomes of it is nobody's business any more. */
export async function inTime<T>(work: Promise<T>, ms: number): Promise<T | typeof LATE> {
  let end = (): void => undefined;
  const late = new Promise<typeof LATE>((resolve) => {
    end = afterAwake(ms, () => resolve(LATE));
  });
  return Promise.race([work, late]).finally(() => end());
}
