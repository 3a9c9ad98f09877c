import type {BreakerSpec} from '../fleet/fleet.ts';
import type {Clock} from '../ports/clock.ts';
import type {Memory} from '../ports/state.ts';
import {type KeptIn, type KeptMemory, keptMemory} from '../state/kept-memory.ts';
import type {BreakerLook, BreakerState} from './breaker.ts';
import {keepSamples, type LinkName, leadBreaker, NO_SAMPLES, recallBreaker, type Samples, withLook} from './link-record.ts';

/** Keeps what is seen of links, for one command or for a live view. */
export type LinkKeeper = {
  /** Leads the link's breaker by one look. */
  look(name: LinkName, look: BreakerLook, spec: BreakerSpec): BreakerState;
  /** For what else is to be kept with it. */
  readonly memory: Pick<Memory, 'recall' | 'remember'>;
  /** What was seen of the link and is not kept yet. */
  samples(name: LinkName): Samples;
  /** Why what is seen is not kept; null = it is. */
  trouble(): string | null;
  /** Keeps everything that is not kept yet. Answers with what is lost, in one sentence; null = nothing. */
  end(): string | null;
};

/** `state` null = what is seen is known to this process only. */
export type KeeperOptions = KeptIn & {readonly fleet: string; readonly clock: Clock};

/** Samples are kept once in so long: ten thousand of them are five weeks. */
const KEEP_MS = 300_000;

/** What costs the history never costs a look: a state that cannot be written is noted, and this process goes on by what it knows itself. */
export function createLinkKeeper({fleet, clock, ...keptIn}: KeeperOptions): LinkKeeper {
  const memory: KeptMemory = keptMemory(keptIn, clock);
  const record = {...memory, notes: () => []};
  const samples = new Map<string, {name: LinkName; samples: Samples}>();
  let keptAt = clock.now();
  const keep = (): void => {
    keptAt = clock.now();
    memory.together(() => {
      for (const each of samples.values()) keepSamples(memory, fleet, each.name, each.samples, clock.wall());
    });
    samples.clear();
  };
  return {
    look: (name, look, spec) => {
      const before = recallBreaker(memory, fleet, name);
      const after = leadBreaker(record, fleet, name, look, spec);
      const isChanged = (before?.state ?? 'closed') !== after.state;
      const key = keyOf(name);
      const soFar = samples.get(key)?.samples ?? NO_SAMPLES;
      samples.set(key, {name, samples: withLook(soFar, sampleOf(look, after))});
      if (isChanged || clock.now() - keptAt >= KEEP_MS) keep();
      return after;
    },
    memory,
    samples: (name) => samples.get(keyOf(name))?.samples ?? NO_SAMPLES,
    trouble: memory.trouble,
    end: () => {
      keep();
      return memory.end();
    },
  };
}

/** What a look adds to the samples. Of one that could not tell, the breaker still has what was measured last: that is no sample. */
export function sampleOf({lagMs, link}: BreakerLook, after: BreakerState): Pick<BreakerLook, 'link'> & Pick<BreakerState, 'lagMs'> {
  return {link, lagMs: lagMs === null && link !== 'stuck' ? null : after.lagMs};
}

const keyOf = ({store, from, to, link}: LinkName): string => JSON.stringify([store, from, to, link]);
