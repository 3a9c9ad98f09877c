import {setImmediate as nextTurn} from 'node:timers/promises';
import type {Uplink} from '../ports/vantage.ts';
import type {AskOptions} from './ask.ts';
import type {EndpointJudgement} from './judge-endpoint.ts';
import {isOnTheWay, tellers} from './quorum.ts';
import {askUplinks, type EndpointReading, withoutUplink} from './sweep.ts';

/** What a process that watches knows of its own network. */
export type OwnNetwork = {
  /**
   * Looks whether it is the network that failed: by the uplinks, and by an endpoint of each other region. Answers with the reading as it counts.
   * Those that fail at the same time share a look.
   */
  look(failed: EndpointReading): Promise<EndpointReading>;
  /** Is told of each reading: an answer shows that the network is there. */
  saw(reading: EndpointReading): void;
  /** Resolves when no look is under way: before, what has failed is not judged. */
  settled(): Promise<void>;
  /** Until when (epoch ms) what failed on the way may have failed because of us; Infinity = it still may. */
  doubtUntil(): number;
};

type Options = {
  readonly uplinks: readonly Uplink[];
  readonly how: AskOptions;
  /** Asks one endpoint of each region but this one. */
  readonly elsewhere: (region: string) => readonly Promise<EndpointReading>[];
};

/** Failures that come in so short a time share a look that begins after all of them. */
const GATHER_MS = 10;

export function createOwnNetwork({uplinks, how, elsewhere}: Options): OwnNetwork {
  let doubtUntil = 0;
  let coming: Promise<string | null> | null = null;
  let going: Promise<unknown> = Promise.resolve();
  const lookAround = async (region: string): Promise<string | null> => {
    const cut = uplinks.length === 0 ? null : await askUplinks(uplinks, how).cutOffBy;
    if (cut !== null) return cut;
    const asked = elsewhere(region);
    // One answer from anywhere is enough; where none comes, all are waited for.
    const answers = asked.map((one) => one.then((reading) => (isAnswer(reading) ? true : new Promise<never>(() => undefined))));
    const answered = await Promise.race([Promise.all(asked).then((all) => all.length === 0 || all.some(isAnswer)), ...answers]);
    // One region alone cannot tell our outage from its own.
    if (!answered) doubtUntil = Number.POSITIVE_INFINITY;
    return null;
  };
  const begin = async (failed: EndpointReading): Promise<string | null> => {
    await how.clock.sleep(GATHER_MS, how.signal).catch(() => undefined);
    coming = null;
    return how.signal.aborted ? null : lookAround(failed.endpoint.region);
  };
  return {
    look: async (failed) => {
      if (tellers(failed.result, failed.others ?? []).some(({result}) => result.ok !== null)) return failed;
      coming ??= begin(failed);
      const look = coming;
      going = look.catch(() => undefined);
      const cut = await look;
      return cut === null ? failed : withoutUplink(failed, cut);
    },
    saw: (reading) => {
      // What failed before that may still have failed because of us: it has to be asked again.
      if (doubtUntil === Number.POSITIVE_INFINITY && isAnswer(reading)) doubtUntil = reading.at;
    },
    settled: async () => {
      await going;
      // Whoever waited for it has its turn first.
      await nextTurn();
    },
    doubtUntil: () => doubtUntil,
  };
}

const isAnswer = ({result}: EndpointReading): boolean => result.ok !== null && !isOnTheWay(result);

/** What is to be said while this machine is cut off itself. */
export function noUplink(endpoints: readonly EndpointJudgement[]): string | null {
  const cut = endpoints.filter(({code}) => code === 'no-uplink');
  return cut.length === 0
    ? null
    : `no uplink answers: this machine is cut off, or the uplinks of the fleet file are not what they should be (${cut.length} not judged)`;
}
