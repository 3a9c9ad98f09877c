import type {Series} from '../series.ts';
import type {LoadRule, Loads} from './facts.ts';
import {figure, timeText} from './figures.ts';
import {goneFrom} from './moved-before.ts';
import {negativesOf} from './negative.ts';
import {type Outage, outageOf} from './outage.ts';
import type {Taken} from './place-load.ts';

/** What moves, and what has moved before. */
type Moves = {readonly taken: readonly Taken[]; readonly moved: readonly Taken[]};

/** What of the histories of a load is left out, or counted elsewhere, when it moves: in sentences for people. */
export function leftOut({series}: Loads, {name}: LoadRule, {taken, moved}: Moves): readonly string[] {
  const own = (region: string): Series | undefined => series.find((each) => each.name === name && each.region === region);
  const goneOf = (region: string): number => moved.reduce((sum, {from, share}) => sum + (from === region ? share : 0), 0);
  const [touched, drained] = [
    new Set(taken.flatMap(({from, to}) => [from, to])),
    new Set(
      moved
        .filter(({from, to}) => taken.some((each) => [from, to].includes(each.to) || [from, to].includes(each.from)))
        .map(({from}) => from),
    ),
  ];
  return [
    ...series.filter((each) => each.name === name && touched.has(each.region ?? '')).flatMap(negativesOf),
    ...[...touched].flatMap((region) => outageSays(own(region), goneOf(region))),
    ...[...drained].flatMap((region) => drainSays(own(region), goneOf(region))),
  ];
}

/** Zeros speak for themselves; that some load is taken for none has to be said. */
function outageSays(series: Series | undefined, gone: number): readonly string[] {
  if (series === undefined || gone > 1 - 1e-9) return [];
  const outage = outageOf(series, 1 - gone);
  if (outage === null || outage.had === 0 || outage.usual === null) return [];
  return [`${hasBeen(series, outage)}: that is taken for an outage, and left out`];
}

/** The same where a load is planned by itself: zeros are said, too, since what is planned is not what is seen. */
export function plannedAsBefore(series: Series): readonly string[] {
  const outage = outageOf(series);
  return outage === null ? [] : [`${hasBeen(series, outage)}: that is taken for an outage, and what it had before is planned for`];
}

function hasBeen({name, region, unit, starts}: Series, {from, had, usual}: Outage): string {
  const amount = (value: number): string => `${figure(value)}${unit === '' ? '' : ` ${unit}`}`;
  const text = `${name}${region === null ? '' : ` of ${region}`} has been ${amount(had)} since ${timeText(starts[from] ?? 0)}`;
  return usual === null || usual === 0 ? text : `${text}, where ${amount(usual)} are usual at least`;
}

function drainSays(series: Series | undefined, gone: number): readonly string[] {
  if (series === undefined || gone > 1 - 1e-9) return [];
  const from = series.starts[goneFrom(series, gone)];
  const since = from === undefined ? 'not seen in its history yet: it is counted as if that had been just now' : `since ${timeText(from)}`;
  return [`${figure(gone * 100)} % of what ${series.region} normally has of ${series.name} goes elsewhere now, ${since}`];
}
