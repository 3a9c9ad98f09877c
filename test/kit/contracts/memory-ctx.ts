import type {Ctx} from '../../../src/lib/plan/action.ts';

/** What an effect is given in these tests. */
export function ctx(signal = new AbortController().signal): Ctx {
  return {runId: 'r1', token: 't', signal, now: () => performance.now(), deadline: Number.POSITIVE_INFINITY};
}
