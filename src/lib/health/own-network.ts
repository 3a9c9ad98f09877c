import type {Uplink} from '../ports/vantage.ts';
import type {AskOptions} from './ask.ts';
import type {EndpointJudgement} from './judge-endpoint.ts';
import {isSilent, isUnanswered, provesNetwork, tellers} from './quorum.ts';
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
  /** What was asked until then and not answered may have failed because of us; Infinity = it still may. */
  doubtUntil(): number;
  /** Until then what fails may do so because the way to it comes back later than others. */
  settlesAt(): number;
};

/** Somebody who was asked whether the network is there. `latencyMs` = how long its last answer took; null = it is not known. */
export type Asked = {readonly region: string; readonly latencyMs: number | null; readonly reading: Promise<EndpointReading>};

type Options = {
  readonly uplinks: readonly Uplink[];
  readonly how: AskOptions;
  /** Asks one of each region that answered last; `wide` = as many others as may be needed where none of these answers. null = there is no other region. */
  readonly around: (failed: EndpointReading, wide: boolean) => readonly Asked[] | null;
  /** Called when doubt begins: what was known to be down is not any more. */
  readonly onDoubt: () => void;
  /** Called when the network is back: what failed meanwhile is to be asked at once. */
  readonly onBack: () => void;
};

/** `untold` = nobody that was asked could tell. `cut` = why no uplink answers. */
type Seen = {readonly what: 'there' | 'missing' | 'untold'; readonly cut: string | null};

/** Failures that come in so short a time share a look that begins after all of them, and looks begin no closer than `SPACED_MS`. */
const GATHER_MS = 10;
const SPACED_MS = 100;
const THERE: Seen = {what: 'there', cut: null};
/** While it is not there, everything fails: it is looked at again once in so long, until it is. */
const REST_MS = 1000;
/** After that, or twice what these took last, more are asked. */
const NARROW_MS = 200;
/** Who has not answered by then, or in twice what that took last, is not waited for: an endpoint may have a deadline of a minute. */
const LONGEST_LOOK_MS = 3000;
/** Nobody is waited for longer than this. */
const MOST_MS = 10_000;
/** Ways come back one after the other. */
const SETTLE_MS = 1000;

export function createOwnNetwork(options: Options): OwnNetwork {
  return new Knowledge(options);
}

type Wide = {readonly began: number; readonly heard: Promise<readonly Heard[]>};

class Knowledge implements OwnNetwork {
  readonly #options: Options;
  #doubtUntil = Number.NEGATIVE_INFINITY;
  #settlesAt = Number.NEGATIVE_INFINITY;
  /** When doubt began; only what was asked after that can lift it. */
  #doubtSince = Number.NEGATIVE_INFINITY;
  /** When the latest of what has answered was asked; and when the latest look began that found the network there. */
  #answeredAt = Number.NEGATIVE_INFINITY;
  #seenAt = Number.NEGATIVE_INFINITY;
  #missing: {readonly at: number; readonly seen: Seen} | null = null;
  #coming: Promise<Seen> | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** The one look that asks many. */
  #wide: Wide | null = null;
  /** Looks under way that an answer from anywhere ends. */
  readonly #waiting = new Set<{readonly began: number; readonly end: () => void}>();

  constructor(options: Options) {
    this.#options = options;
  }

  isDoubtful({result, others = []}: EndpointReading): boolean {
    return isSilent(result) && !tellers(result, others).some((view) => view.result.ok !== null);
  }

  async look(failed: EndpointReading): Promise<EndpointReading | null> {
    const {clock} = this.#options.how;
    this.#coming ??= this.#begin(failed);
    // Nobody waits for the next look while it is not there.
    if (this.#missing !== null && clock.now() - this.#missing.at < REST_MS) return this.#applied(failed, this.#missing.seen);
    return this.#applied(failed, await this.#coming);
  }

  saw({result, began = Number.NEGATIVE_INFINITY}: EndpointReading): void {
    if (!provesNetwork(result)) return;
    this.#answeredAt = Math.max(this.#answeredAt, began);
    for (const look of this.#waiting) if (began >= look.began) look.end();
    if (this.#isInDoubt() && began > this.#doubtSince) this.#isBack();
  }

  doubtUntil(): number {
    return this.#doubtUntil;
  }

  settlesAt(): number {
    return this.#settlesAt;
  }

  #applied(failed: EndpointReading, seen: Seen): EndpointReading | null {
    // What nobody can tell is as it was; and if nothing was, as if there was nobody to ask.
    const {what, cut} = seen.what === 'untold' ? (this.#missing?.seen ?? THERE) : seen;
    if (cut !== null) return withoutUplink(failed, cut);
    return what === 'there' ? null : failed;
  }

  async #begin(failed: EndpointReading): Promise<Seen> {
    const {clock, signal} = this.#options.how;
    const earliest = Math.max(this.#lookedAt + SPACED_MS, (this.#missing?.at ?? Number.NEGATIVE_INFINITY) + REST_MS);
    await clock.sleep(Math.max(GATHER_MS, earliest - clock.now()), signal).catch(() => undefined);
    this.#coming = null;
    if (signal.aborted) return THERE;
    const began = clock.now();
    this.#lookedAt = began;
    const found = await this.#lookAround(failed, began);
    // Another look, or an answer, that was asked later has seen it.
    const isOld = this.#seenAt >= began || (found.cut === null && this.#answeredAt >= began);
    const seen = isOld ? THERE : found;
    this.#conclude(seen, began);
    // It is looked for until it is there, whether anything else fails or not.
    if (this.#missing !== null && !signal.aborted) this.#coming ??= this.#begin(failed);
    return seen;
  }

  #conclude(seen: Seen, began: number): void {
    const {clock} = this.#options.how;
    if (seen.what === 'there') {
      this.#seenAt = Math.max(this.#seenAt, began);
      if (this.#missing !== null || this.#isInDoubt()) this.#isBack();
    } else if (seen.what === 'missing') {
      this.#missing = {at: clock.now(), seen};
      if (seen.cut === null && !this.#isInDoubt()) {
        this.#doubtSince = began;
        this.#doubtUntil = Number.POSITIVE_INFINITY;
        this.#options.onDoubt();
      }
    } else if (this.#missing !== null) {
      this.#missing = {...this.#missing, at: clock.now()};
    }
  }

  async #lookAround(failed: EndpointReading, began: number): Promise<Seen> {
    const {uplinks, how, around} = this.#options;
    if (uplinks.length > 0) {
      const {cut, answered} = await askUplinks(uplinks, how).state;
      if (cut !== null) return {what: 'missing', cut};
      if (answered) return THERE;
    }
    const asked = around(failed, false);
    if (asked === null) return THERE;
    const narrow = asked.map(hears);
    if (narrow.length > 0 && (await this.#anyAnswers(narrow, began, atMost(asked, NARROW_MS)))) return THERE;
    const wide = await this.#askWide(failed, began);
    const heard = [...narrow, ...wide];
    if (wide.some(({answer}) => answer() === 'there') || this.#answeredAt >= began) return THERE;
    // One region alone cannot tell our outage from its own. What could not be asked proves nothing.
    const isSilentElsewhere = heard.some(({region, answer}) => region !== failed.endpoint.region && answer() === 'silent');
    return {what: isSilentElsewhere ? 'missing' : 'untold', cut: null};
  }

  /** Whoever was chosen may have died by themselves. One such look at a time: who comes later waits for it, and has the next. */
  async #askWide(failed: EndpointReading, began: number): Promise<readonly Heard[]> {
    while (this.#wide !== null && this.#wide.began < began) await this.#wide.heard;
    this.#wide ??= this.#beginWide(failed);
    return this.#wide.heard;
  }

  #beginWide(failed: EndpointReading): Wide {
    const began = this.#options.how.clock.now();
    const asked = this.#options.around(failed, true) ?? [];
    const heard = asked.map(hears);
    const ended = this.#anyAnswers(heard, began, atMost(asked, LONGEST_LOOK_MS)).then(() => {
      this.#wide = null;
      return heard;
    });
    return {began, heard: ended};
  }

  /** One answer from anywhere is enough, also one that nobody waited for; where none comes, all are waited for, so long. */
  async #anyAnswers(heard: readonly Heard[], began: number, atMostMs: number): Promise<boolean> {
    const {clock, signal} = this.#options.how;
    const stop = new AbortController();
    const late = clock.sleep(atMostMs, AbortSignal.any([signal, stop.signal])).catch(() => undefined);
    const {promise: elsewhere, resolve} = Promise.withResolvers<boolean>();
    const look = {began, end: () => resolve(true)};
    this.#waiting.add(look);
    const seen = heard.map(({ended}) => ended);
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
    const now = this.#options.how.clock.now();
    if (this.#isInDoubt()) this.#doubtUntil = now;
    this.#settlesAt = now + SETTLE_MS;
    this.#missing = null;
    this.#options.onBack();
  }
}

/** Somebody who was asked. `there` shows the network; `silent` = nothing came, also not yet; `untold` = it could not be asked, or answered on this machine. */
type Heard = {readonly region: string; readonly ended: Promise<boolean>; answer(): 'there' | 'silent' | 'untold'};

function hears({region, reading}: Asked): Heard {
  let answer: ReturnType<Heard['answer']> = 'silent';
  const ended = reading.then(({result}) => {
    answer = provesNetwork(result) ? 'there' : isUnanswered(result) ? 'silent' : 'untold';
    return answer === 'there';
  });
  return {region, ended, answer: () => answer};
}

/** So long, or twice what the slowest of them took when it answered last, within reason. */
const atMost = (asked: readonly Asked[], leastMs: number): number =>
  Math.min(MOST_MS, Math.max(leastMs, ...asked.map(({latencyMs}) => (latencyMs ?? 0) * 2)));

/** What is to be said while this machine is cut off itself. */
export function noUplink(endpoints: readonly EndpointJudgement[]): string | null {
  const cut = endpoints.filter(({code}) => code === 'no-uplink');
  return cut.length === 0
    ? null
    : `no uplink answers: this machine is cut off, or the uplinks of the fleet file are not what they should be (${cut.length} not judged)`;
}
