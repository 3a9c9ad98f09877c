import {isRegionctlError, messageOf} from '../errors.ts';

/** A failure of the world as a value. What must end the run (journal, lease, leaving) keeps flying. */
export async function settle<T>(
  work: () => Promise<T>,
): Promise<{readonly ok: true; readonly value: T} | {readonly ok: false; readonly code: string; readonly says: string}> {
  try {
    return {ok: true, value: await work()};
  } catch (error) {
    if (error instanceof Ends) throw error.reason;
    if (!isRegionctlError(error)) return {ok: false, code: 'step-failed', says: messageOf(error)};
    if (error.code === 'left') throw error;
    return {ok: false, code: error.code, says: error.message};
  }
}

/** Marks what the journal or the lease threw, so that it is not taken for a failure of the step: whatever it is, it ends the run. */
export class Ends extends Error {
  readonly reason: unknown;

  constructor(reason: unknown) {
    super('the run ends here');
    this.reason = reason;
  }
}

/** Runs a write to the journal or a check of the lease inside a step. */
export function orEnd(work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new Ends(error);
  }
}
