import type {Clock} from '../ports/clock.ts';
import type {ProbeResult} from '../ports/probe.ts';
import type {Vantage} from '../ports/vantage.ts';

/** So many questions without any answer in a row, and it is left alone for so long. */
const SILENT_AFTER = 3;
const ALONE_MS = 10_000;

/**
 * A vantage point that is not waited for again and again while it does not answer: after three silences it cannot tell, at once, for ten seconds; then
 * one question goes out. Otherwise one that is down would hold up every look at every endpoint.
 */
export function quietVantage(name: string, vantage: Vantage, clock: Clock): Vantage {
  let silences = 0;
  let aloneUntil = Number.NEGATIVE_INFINITY;
  const isSilent = ({ok, code}: ProbeResult): boolean => ok === null && code === 'vantage-silent';
  return {
    graceMs: vantage.graceMs,
    check: async (target, timeoutMs, signal) => {
      if (clock.now() < aloneUntil) {
        const detail = `${name} did not answer ${silences} times in a row; it is asked again within ${ALONE_MS / 1000} s`;
        return {ok: null, latencyMs: null, code: 'vantage-silent', detail};
      }
      // The others wait for what this question brings.
      if (silences >= SILENT_AFTER) aloneUntil = clock.now() + ALONE_MS;
      const result = await vantage.check(target, timeoutMs, signal);
      // A question that nobody waited for tells nothing of who was asked.
      if (signal.aborted && !isTimeout(signal)) return result;
      silences = isSilent(result) ? silences + 1 : 0;
      aloneUntil = silences >= SILENT_AFTER ? clock.now() + ALONE_MS : Number.NEGATIVE_INFINITY;
      return result;
    },
  };
}

const isTimeout = ({reason}: AbortSignal): boolean => reason instanceof Error && reason.name === 'TimeoutError';
