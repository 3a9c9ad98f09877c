import {cut} from '../output/table.ts';
import {padRight, textWidth} from '../output/text-width.ts';
import {formatAge} from '../output/units.ts';
import type {RegionVerdict} from '../snapshot/snapshot.ts';
import type {Line} from './line-view.tsx';
import {verdictSign} from './meaning.ts';

/** What a line says of a region. `verdict` null = it was not asked yet; `since`: the time beside it, epoch ms. */
export type RegionSays =
  | {readonly region: string; readonly verdict: null}
  | {readonly region: string; readonly verdict: RegionVerdict | 'unknown'; readonly since: number; readonly reason: string};

/** `at`: now, epoch ms. `width`: that of the names. */
export type RegionPlace = {readonly at: number; readonly width: number; readonly columns: number};

const WIDEST = 24;

/** How wide the names of regions are. */
export function namesWidth(regions: readonly Pick<RegionSays, 'region'>[]): number {
  return Math.min(WIDEST, Math.max(0, ...regions.map(({region}) => textWidth(region))));
}

/** A region as a line, the same in each live view: sign, name, verdict, age, and why. */
export function regionLine(says: RegionSays, {at, width, columns}: RegionPlace): Line {
  const name = `${padRight(cut(says.region, width), width)}  `;
  if (says.verdict === null) return [{text: `· ${name}asking`, meaning: 'muted'}];
  const {symbol, meaning} = verdictSign(says.verdict);
  const verdict = says.verdict.padEnd(11);
  const age = `${formatAge(says.since, at).padEnd(15)}  `;
  const room = columns - textWidth(name) - verdict.length - age.length - 2;
  return [
    {text: `${symbol} `, meaning},
    {text: name, meaning: 'plain'},
    {text: verdict, meaning},
    {text: `${age}${cut(says.reason, room)}`, meaning: 'muted'},
  ];
}
