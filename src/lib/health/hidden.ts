import type {AskOptions} from './ask.ts';
import type {Asked} from './own-network.ts';
import {provesNetwork} from './quorum.ts';
import {readEndpoint, type SweepTarget} from './sweep.ts';

/** Endpoints of regions that are not watched, asked only to tell our own outage from the others'. */
export type Hidden = {
  /** One of each region: the one that answered last, else another one each time. `wide`: up to `most` others of each instead. */
  ask(wide: boolean, most: number): readonly Asked[];
};

type Place = {readonly region: string; readonly all: readonly SweepTarget[]; first: number; latencyMs: number | null};

export function hiddenEndpoints(targets: readonly SweepTarget[], how: AskOptions): Hidden {
  // A critical one is the likeliest to answer.
  const sorted = targets.toSorted((a, b) => Number(b.endpoint.critical) - Number(a.endpoint.critical));
  const places = [...Map.groupBy(sorted, ({endpoint}) => endpoint.region)].map(
    ([region, all]): Place => ({region, all, first: 0, latencyMs: null}),
  );
  const askOne = (place: Place, wanted: number): Asked => {
    const index = wanted % place.all.length;
    const reading = readEndpoint(place.all[index] as SweepTarget, how).then((answer) => {
      if (provesNetwork(answer.result)) Object.assign(place, {first: index, latencyMs: answer.result.latencyMs});
      else if (place.first === index) Object.assign(place, {first: (index + 1) % place.all.length, latencyMs: null});
      return answer;
    });
    return {region: place.region, latencyMs: place.latencyMs, reading};
  };
  return {
    ask: (wide, most) =>
      places.flatMap((place) => {
        const {first, all} = place;
        if (!wide) return [askOne(place, first)];
        return Array.from({length: Math.min(most, all.length)}, (_, index) => askOne(place, first + index));
      }),
  };
}
