import {setImmediate as nextTurn} from 'node:timers/promises';
import type {Uplink} from '../ports/vantage.ts';
import type {AskOptions} from './ask.ts';
import type {EndpointJudgement} from './judge-endpoint.ts';
import {isUnanswered, tellers} from './quorum.ts';
import {askUplinks, type EndpointReading, withoutUplink} from './sweep.ts';

/** What a process that watches knows of its own network. Times are monotonic ms. */
export type OwnNetwork = {
  /** Whether a failure that we alone see may be ours, so that `look` has to be asked before anything is said. */
  isDoubtful(failed: EndpointReading): boolean;
  /**
   * Looks whether it is the network that failed: by the uplinks, else by an endpoint of each other region. Those that fail at the same time share a
   * look. null = the network is there; else the reading as it counts.
   */
  look(failed: EndpointReading): Promise<EndpointReading | null>;
  /** Is told of each reading: an answer shows that the network is there. */
  saw(reading: EndpointReading): void;
  /** Resolves when no look is under way: before, what has failed is not judged. */
  settled(): Promise<void>;
  /** What was asked until then and not answered may have failed because of us; Infinity = it still may. */
  doubtUntil(): number;
};

type Options = {
  readonly uplinks: readonly Uplink[];
  readonly how: AskOptions;
  /** Asks one endpoint of each region but this one. */
  readonly elsewhere: (region: string) => readonly Promise<EndpointReading>[];
  /** Called when the network is back: whoever was given up meanwhile is to be asked at once. */
  readonly onBack: () => void;
};

type Seen = {readonly there: boolean; readonly cut: string | null};

/** Failures that come in so short a time share a look that begins after all of them. */
const GATHER_MS = 10;
const THERE: Seen = {there: true, cut: null};
/** While it is not there, everything fails: it is looked at again no more often than that. */
const REST_MS = 1000;

export function createOwnNetwork({uplinks, how, elsewhere, onBack}: Options): OwnNetwork {
  let doubtUntil = Number.NEGATIVE_INFINITY;
  /** When doubt began; only what was asked after that can lift it. */
  let doubtSince = Number.NEGATIVE_INFINITY;
  let answeredAt = Number.NEGATIVE_INFINITY;
  let missing: {readonly at: number; readonly seen: Seen} | null = null;
  let coming: Promise<Seen> | null = null;
  let going: Promise<unknown> = Promise.resolve();
  const saw = (reading: EndpointReading): void => {
    if (!isAnswer(reading)) return;
    const {began = Number.NEGATIVE_INFINITY} = reading;
    answeredAt = Math.max(answeredAt, began);
    if (doubtUntil !== Number.POSITIVE_INFINITY || began <= doubtSince) return;
    // What was asked before may still have failed because of us: it has to be asked again.
    doubtUntil = how.clock.now();
    missing = null;
    onBack();
  };
  const lookAround = async (region: string): Promise<Seen> => {
    if (uplinks.length > 0) {
      const {cut, answered} = await askUplinks(uplinks, how).state;
      if (cut !== null) return {there: false, cut};
      if (answered) return THERE;
    }
    const asked = elsewhere(region);
    // One region alone cannot tell our outage from its own.
    if (asked.length === 0) return THERE;
    const answers = asked.map(async (one) => {
      const reading = await one;
      saw(reading);
      return isUnanswered(reading.result) ? new Promise<never>(() => undefined) : true;
    });
    // One answer from anywhere is enough; where none comes, all are waited for. What could not be asked proves nothing.
    const there = await Promise.race([Promise.all(asked).then((all) => !all.every(({result}) => isUnanswered(result))), ...answers]);
    return {there, cut: null};
  };
  const begin = async (failed: EndpointReading): Promise<Seen> => {
    await how.clock.sleep(GATHER_MS, how.signal).catch(() => undefined);
    coming = null;
    if (how.signal.aborted) return THERE;
    const began = how.clock.now();
    const seen = await lookAround(failed.endpoint.region);
    missing = seen.there ? null : {at: how.clock.now(), seen};
    if (seen.there) answeredAt = Math.max(answeredAt, began);
    else if (seen.cut === null && answeredAt < began) {
      doubtSince = began;
      doubtUntil = Number.POSITIVE_INFINITY;
    }
    return seen;
  };
  return {
    isDoubtful: (failed) =>
      isUnanswered(failed.result) && !tellers(failed.result, failed.others ?? []).some(({result}) => result.ok !== null),
    look: async (failed) => {
      // Something was asked after this and has answered.
      if (answeredAt > (failed.began ?? 0)) return null;
      if (missing !== null && how.clock.now() - missing.at < REST_MS) return applied(failed, missing.seen);
      coming ??= begin(failed);
      const look = coming;
      going = look.catch(() => undefined);
      return applied(failed, await look);
    },
    saw,
    settled: async () => {
      await going;
      // Whoever waited for it has its turn first.
      await nextTurn();
    },
    doubtUntil: () => doubtUntil,
  };
}

function applied(failed: EndpointReading, {there, cut}: Seen): EndpointReading | null {
  if (cut !== null) return withoutUplink(failed, cut);
  return there ? null : failed;
}

const isAnswer = ({result}: EndpointReading): boolean => result.ok !== null && !isUnanswered(result);

/** What is to be said while this machine is cut off itself. */
export function noUplink(endpoints: readonly EndpointJudgement[]): string | null {
  const cut = endpoints.filter(({code}) => code === 'no-uplink');
  return cut.length === 0
    ? null
    : `no uplink answers: this machine is cut off, or the uplinks of the fleet file are not what they should be (${cut.length} not judged)`;
}
