import type {Uplink} from '../ports/vantage.ts';
import type {AskOptions} from './ask.ts';
import type {EndpointJudgement} from './judge-endpoint.ts';
import {isUnanswered, provesNetwork, tellers} from './quorum.ts';
import {askUplinks, type EndpointReading, withoutUplink} from './sweep.ts';

/**
 * What a process that watches knows of its own network. Times are monotonic ms. A failure that we alone see counts once the network was seen to be
 * there after it: what answered before says nothing of the end of a long wait.
 */
export type OwnNetwork = {
  /** Whether a failure that we alone see may be ours, so that `look` has to be asked before anything is said. */
  isDoubtful(failed: EndpointReading): boolean;
  /**
   * Looks whether it is the network that failed, after the failure: by the uplinks, else by endpoints elsewhere. Those that fail at the same time share
   * a look. null = the network is there; else the reading as it counts.
   */
  look(failed: EndpointReading): Promise<EndpointReading | null>;
  /** Is told of each reading: an answer shows that the network is there. */
  saw(reading: EndpointReading): void;
  /** Whether anything that was asked since then has answered. */
  answeredSince(began: number): boolean;
  /** What was asked until then and not answered may have failed because of us; Infinity = it still may. */
  doubtUntil(): number;
};

/** Somebody who was asked whether the network is there. */
export type Asked = {readonly region: string; readonly reading: Promise<EndpointReading>};

type Options = {
  readonly uplinks: readonly Uplink[];
  readonly how: AskOptions;
  /** Asks one of each region that answered last; `wide` = as many as may be needed where none of these answers. null = there is no other region. */
  readonly around: (failed: EndpointReading, wide: boolean) => readonly Asked[] | null;
  /** Called when doubt begins: what was known to be down is not any more. */
  readonly onDoubt: () => void;
  /** Called when the network is back: what failed meanwhile is to be asked at once. */
  readonly onBack: () => void;
};

type Seen = {readonly there: boolean; readonly cut: string | null};

/** Failures that come in so short a time share a look that begins after all of them, and looks begin no closer than `SPACED_MS`. */
const GATHER_MS = 10;
const SPACED_MS = 100;
const THERE: Seen = {there: true, cut: null};
/** While it is not there, everything fails: it is looked at again no more often than that. */
const REST_MS = 1000;
/** After that, more are asked. */
const NARROW_MS = 200;
/** Who has not answered by then is not waited for: an endpoint may have a deadline of a minute. */
const LONGEST_LOOK_MS = 3000;

export function createOwnNetwork(options: Options): OwnNetwork {
  return new Knowledge(options);
}

class Knowledge implements OwnNetwork {
  readonly #options: Options;
  #doubtUntil = Number.NEGATIVE_INFINITY;
  /** When doubt began; only what was asked after that can lift it. */
  #doubtSince = Number.NEGATIVE_INFINITY;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #missing: {readonly at: number; readonly seen: Seen} | null = null;
  #coming: Promise<Seen> | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** Looks under way that an answer from anywhere ends. */
  readonly #waiting = new Set<{readonly began: number; readonly end: () => void}>();

  constructor(options: Options) {
    this.#options = options;
  }

  isDoubtful({result, others = []}: EndpointReading): boolean {
    return isUnanswered(result) && !tellers(result, others).some((view) => view.result.ok !== null);
  }

  async look(failed: EndpointReading): Promise<EndpointReading | null> {
    const {clock} = this.#options.how;
    this.#coming ??= this.#begin(failed);
    // Nobody waits for the next look while it is not there, but there is one: it may be back.
    if (this.#missing !== null && clock.now() - this.#missing.at < REST_MS) return applied(failed, this.#missing.seen);
    return applied(failed, await this.#coming);
  }

  saw({result, began = Number.NEGATIVE_INFINITY}: EndpointReading): void {
    if (!provesNetwork(result)) return;
    this.#answeredAt = Math.max(this.#answeredAt, began);
    for (const look of this.#waiting) if (began >= look.began) look.end();
    if (this.#isInDoubt() && began > this.#doubtSince) this.#isBack();
  }

  answeredSince(began: number): boolean {
    return this.#answeredAt >= began;
  }

  doubtUntil(): number {
    return this.#doubtUntil;
  }

  async #begin(failed: EndpointReading): Promise<Seen> {
    const {clock, signal} = this.#options.how;
    const earliest = Math.max(this.#lookedAt + SPACED_MS, (this.#missing?.at ?? Number.NEGATIVE_INFINITY) + REST_MS);
    await clock.sleep(Math.max(GATHER_MS, earliest - clock.now()), signal).catch(() => undefined);
    this.#coming = null;
    if (signal.aborted) return THERE;
    const began = clock.now();
    this.#lookedAt = began;
    const seen = await this.#lookAround(failed, began);
    if (seen.there) {
      if (this.#missing !== null || this.#isInDoubt()) this.#isBack();
      return seen;
    }
    this.#missing = {at: clock.now(), seen};
    if (seen.cut === null && !this.#isInDoubt()) {
      this.#doubtSince = began;
      this.#doubtUntil = Number.POSITIVE_INFINITY;
      this.#options.onDoubt();
    }
    return seen;
  }

  async #lookAround(failed: EndpointReading, began: number): Promise<Seen> {
    const {uplinks, how, around} = this.#options;
    if (uplinks.length > 0) {
      const {cut, answered} = await askUplinks(uplinks, how).state;
      if (cut !== null) return {there: false, cut};
      if (answered) return THERE;
    }
    const asked = around(failed, false);
    if (asked === null) return THERE;
    const first = asked.map(hears);
    // Whoever was chosen may have died by themselves. In doubt everybody is asked again anyway.
    const isWide = !this.#isInDoubt() || first.length === 0;
    if (first.length > 0 && (await this.#anyAnswers(first, began, isWide ? NARROW_MS : LONGEST_LOOK_MS))) return THERE;
    const heard = isWide ? [...first, ...(around(failed, true) ?? []).map(hears)] : first;
    if (isWide && (await this.#anyAnswers(heard, began, LONGEST_LOOK_MS))) return THERE;
    // One region alone cannot tell our outage from its own. What could not be asked proves nothing.
    return {there: !heard.some(({region, answer}) => region !== failed.endpoint.region && answer() !== 'untold'), cut: null};
  }

  /** One answer from anywhere is enough, also one that nobody waited for; where none comes, all are waited for, so long. */
  async #anyAnswers(heard: readonly Heard[], began: number, atMostMs: number): Promise<boolean> {
    const {clock, signal} = this.#options.how;
    const stop = new AbortController();
    const late = clock.sleep(atMostMs, AbortSignal.any([signal, stop.signal])).catch(() => undefined);
    const seen = heard.map(({ended}) => ended);
    const {promise: elsewhere, resolve} = Promise.withResolvers<boolean>();
    const look = {began, end: () => resolve(true)};
    this.#waiting.add(look);
    const yes = seen.map(async (one) => ((await one) ? true : new Promise<never>(() => undefined)));
    const answers = await Promise.race([Promise.all(seen).then((all) => all.includes(true)), ...yes, elsewhere, late.then(() => false)]);
    this.#waiting.delete(look);
    stop.abort();
    return answers;
  }

  #isInDoubt(): boolean {
    return this.#doubtUntil === Number.POSITIVE_INFINITY;
  }

  /** What was asked before may still have failed because of us: it has to be asked again. */
  #isBack(): void {
    if (this.#isInDoubt()) this.#doubtUntil = this.#options.how.clock.now();
    this.#missing = null;
    this.#options.onBack();
  }
}

/** Somebody who was asked. `ended`: whether it shows that the network is there; `untold` = it could not be asked. */
type Heard = {readonly region: string; readonly ended: Promise<boolean>; answer(): 'none' | 'untold'};

function hears({region, reading}: Asked): Heard {
  let answer: 'none' | 'untold' = 'none';
  const ended = reading.then(({result}) => {
    if (result.ok === null) answer = 'untold';
    return provesNetwork(result);
  });
  return {region, ended, answer: () => answer};
}

function applied(failed: EndpointReading, {there, cut}: Seen): EndpointReading | null {
  if (cut !== null) return withoutUplink(failed, cut);
  return there ? null : failed;
}

/** What is to be said while this machine is cut off itself. */
export function noUplink(endpoints: readonly EndpointJudgement[]): string | null {
  const cut = endpoints.filter(({code}) => code === 'no-uplink');
  return cut.length === 0
    ? null
    : `no uplink answers: this machine is cut off, or the uplinks of the fleet file are not what they should be (${cut.length} not judged)`;
}
