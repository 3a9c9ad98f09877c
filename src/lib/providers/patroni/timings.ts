import {type Ensemble, readConfig} from './ensemble.ts';

/** How long an election waits for the REST API of a member that hangs. */
const ELECTION_MS = 2000;

/** The worst case until Patroni has promoted another one by itself: the leader died right after it had renewed its key. */
export async function timings(ensemble: Ensemble, signal: AbortSignal): Promise<{detectMs: number; why: string}> {
  const {ttl, loopWait} = await readConfig(ensemble, {signal});
  return {
    detectMs: (ttl + loopWait) * 1000 + ELECTION_MS,
    why: `Patroni of ${ensemble.store}: ttl ${ttl} s + loop_wait ${loopWait} s + ${ELECTION_MS / 1000} s that an election waits for a member that hangs`,
  };
}
