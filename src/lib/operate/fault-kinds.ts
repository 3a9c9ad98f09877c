import {timeoutAwake} from '../awake.ts';
import {messageOf} from '../errors.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';

/** The kinds of faults that cannot be had here, each with one sentence why. `unsure`: why the injector was not asked in full; null = it was. */
export type UnavailableFaults = {readonly kinds: Readonly<Record<string, string>>; readonly unsure: string | null};

const ASK_MS = 3000;

/** Asks the fleet's injector what it cannot do here. Where it does not answer nothing is known, which is no refusal. */
export async function unavailableFaults({fault}: Pick<OpenFleet, 'fault'>, signal: AbortSignal): Promise<UnavailableFaults> {
  if (fault?.unavailable === undefined) return {kinds: {}, unsure: null};
  try {
    return {kinds: await fault.unavailable(AbortSignal.any([signal, timeoutAwake(ASK_MS)])), unsure: null};
  } catch (error) {
    signal.throwIfAborted();
    return {kinds: {}, unsure: `whether its faults can be had was not told: ${messageOf(error)}`};
  }
}
