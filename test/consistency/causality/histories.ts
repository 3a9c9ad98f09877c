import fc from 'fast-check';

/** Three regions, which work alone and now and then take over what another has. */
export const REGIONS = ['ap', 'eu-west', 'us-east'] as const;

/** One event of a history: `from` null = the region works by itself, with `pick` to choose how; else it takes over what `from` has. */
export type Event = {readonly at: number; readonly from: number | null; readonly pick: number};

const place = fc.integer({min: 0, max: REGIONS.length - 1});
/** Half of the events are work; up to forty in all. */
export const histories = fc.array(fc.record({at: place, from: fc.option(place, {freq: 1}), pick: fc.nat(11)}), {
  maxLength: 40,
  size: 'max',
});

/** What every region has after a history. `work` gives a region's next state; its number counts the events. */
export function play<State>(
  events: readonly Event[],
  type: {readonly empty: State; readonly merge: (a: State, b: State) => State},
  work: (state: State, region: string, pick: number, number: number) => State,
): readonly State[] {
  const states: State[] = REGIONS.map(() => type.empty);
  events.forEach(({at, from, pick}, number) => {
    const [own = type.empty, other = type.empty] = [states[at], states[from ?? at]];
    states[at] = from === null ? work(own, REGIONS[at]!, pick, number) : type.merge(own, other);
  });
  return states;
}
