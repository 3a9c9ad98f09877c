import type {AskOptions} from './ask.ts';
import type {Asked} from './own-network.ts';
import {provesNetwork} from './quorum.ts';
import {readEndpoint, type SweepTarget} from './sweep.ts';

/** Endpoints of regions that are not watched, asked only to tell our own outage from the others'. */
export type Hidden = {
  /** One of each region: the one that answered last, else another one each time. `wide`: up to `most` others of each, too. */
  ask(wide: boolean, most: number): readonly Asked[];
};

export function hiddenEndpoints(targets: readonly SweepTarget[], how: AskOptions): Hidden {
  // A critical one is the likeliest to answer.
  const sorted = targets.toSorted((a, b) => Number(b.endpoint.critical) - Number(a.endpoint.critical));
  const places = [...Map.groupBy(sorted, ({endpoint}) => endpoint.region)].map(([region, all]) => ({region, all, next: 0}));
  const askOne = (place: (typeof places)[number], index: number): Asked => {
    const target = place.all[index % place.all.length] as SweepTarget;
    const reading = readEndpoint(target, how).then((answer) => {
      if (provesNetwork(answer.result)) place.next = index % place.all.length;
      else if (place.next === index % place.all.length) place.next = (index + 1) % place.all.length;
      return answer;
    });
    return {region: place.region, reading};
  };
  return {
    ask: (wide, most) =>
      places.flatMap((place) => {
        const count = wide ? Math.min(most, place.all.length) : 1;
        return Array.from({length: count}, (_, index) => askOne(place, place.next + index));
      }),
  };
}
