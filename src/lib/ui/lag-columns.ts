import {isOldReading, readingAgeMs} from '../operate/lag-verdict.ts';
import type {LagWatchView, LinkNow} from '../operate/lag-watch.ts';
import {linkName} from '../output/lag-text.ts';
import {cut, cutStart} from '../output/table.ts';
import {textWidth} from '../output/text-width.ts';
import {NOT_MEASURED, shortBytes, shortMs} from '../output/units.ts';
import type {Line} from './line-view.tsx';
import {breakerMeaning, linkSign, type Meaning} from './meaning.ts';
import {sparkline} from './sparkline.ts';

/** In a picture of the history nothing below a second of lag fills the height. */
export const LEAST_MS = 1000;

/** A column of figures: how wide, with the blanks before it. */
type Figure = {readonly title: string; readonly width: number; of(link: LinkNow, at: number): string};

const ms = (value: number | null): string => shortMs(value);
const figure = (title: string, width: number, of: Figure['of']): Figure => ({title, width, of});

const BEHIND = figure('behind', 8, ({row}) => ms(row.seconds === null ? null : row.seconds * 1000));
const REPLAY = figure('replay', 9, ({row}) => (row.messages === undefined ? shortBytes(row.replayBytes) : shortCount(row.messages.depth)));
const FLUSH = figure('flush', 9, ({row}) => shortBytes(row.flushBytes));
const RUNWAY = figure('runway', 9, ({row}) => shortBytes(row.runwayBytes));
const P50 = figure('p50', 8, ({percentiles}) => ms(percentiles.p50Ms));
const P95 = figure('p95', 8, ({percentiles}) => ms(percentiles.p95Ms));
const P99 = figure('p99', 8, ({percentiles}) => ms(percentiles.p99Ms));
const AGE = figure('age', 7, (link, at) => shortAge(readingAgeMs(link, at)));

/** How wide each column is; 0 = it is not there. */
export type LagLayout = {
  readonly name: number;
  readonly state: number;
  readonly breaker: number;
  readonly left: readonly Figure[];
  readonly spark: number;
  readonly right: readonly Figure[];
  readonly why: number;
};

/** The mark of the chosen row, and the sign of the state. */
const SIGNS = 3;
const NARROWEST_NAME = 12;
const NARROWEST_SPARK = 6;
const WIDEST_SPARK = 60;
/** A reason that is cut shorter says nothing. */
const NARROWEST_WHY = 24;
const WIDE_WHY = 62;

/** Gives each column its width, the most important first: name, state and breaker, behind, age, to replay, p95, history, p50 and p99, why, the rest. */
export function layoutOf(links: readonly LinkNow[], columns: number): LagLayout {
  const longest = Math.max(NARROWEST_NAME, ...links.map(({row}) => textWidth(linkName(row))));
  const state = Math.max(5, ...links.map(({row}) => row.state.length)) + 1;
  const breaker = links.some((link) => link.breaker.state !== 'closed') ? 6 : 0;
  const {take, fits, takeIf} = budget(columns - SIGNS - NARROWEST_NAME - 1 - state - breaker);
  const first = [BEHIND, AGE, REPLAY, P95].filter(({width}) => takeIf(width));
  const hasSpark = takeIf(2 + NARROWEST_SPARK);
  const name = NARROWEST_NAME + take(longest - NARROWEST_NAME);
  // A little more of a picture is worth more than further figures.
  const picture = hasSpark ? NARROWEST_SPARK + take(6) : 0;
  const pair = [P50, P99].filter(({width}) => fits(P50.width + P99.width) && take(width));
  const hasWhy = links.some(({row}) => !isGood(row.state)) && fits(2 + NARROWEST_WHY);
  const reason = hasWhy ? take(WIDE_WHY) : 0;
  const rest = [FLUSH, RUNWAY].filter(({width}) => hasSpark && takeIf(width));
  const spark = picture + (hasSpark ? take(WIDEST_SPARK - picture) : 0);
  const has = new Set([...first, ...pair, ...rest]);
  const shown = (figures: readonly Figure[]) => figures.filter((each) => has.has(each));
  return {
    ...{name, state, breaker, spark},
    left: shown([BEHIND, REPLAY, FLUSH, RUNWAY]),
    right: shown([P50, P95, P99, AGE]),
    why: hasWhy ? reason + take(columns) : 0,
  };
}

/** Columns that are left to be given away. `take` gives as many as there are, `takeIf` all or none. */
function budget(columns: number) {
  let room = Math.max(0, columns);
  const take = (width: number): number => {
    const taken = Math.min(room, Math.max(0, width));
    room -= taken;
    return taken;
  };
  const fits = (width: number): boolean => room >= width;
  return {take, fits, takeIf: (width: number): boolean => fits(width) && take(width) > 0};
}

/** The titles of the columns. That of the breaker takes a blank of the figure behind it. */
export function titlesOf({name, state, breaker, left, spark, right, why}: LagLayout): string {
  const figures = (of: readonly Figure[]) => of.map(({title, width}) => title.padStart(width)).join('');
  const ways = breaker === 0 ? figures(left) : left.length === 0 ? cut('breaker', breaker) : `breaker${figures(left).slice(1)}`;
  const looks = spark === 0 ? '' : `  ${cut('last looks', spark).padStart(spark)}`;
  return `   ${'link'.padEnd(name)} ${'state'.padEnd(state)}${ways}${looks}${figures(right)}${why === 0 ? '' : '  why'}`;
}

/** One link. The state and a breaker that is not closed are coloured, the rest is dimmed once the reading is older than `staleMs`. */
export function lineOf(link: LinkNow, {at}: Pick<LagWatchView, 'at'>, layout: LagLayout, staleMs: number): Line {
  const {row, breaker, history} = link;
  const {symbol, meaning} = linkSign(row.state);
  const quiet: Meaning = isOldReading(link, at, staleMs) ? 'muted' : 'plain';
  const figures = (of: readonly Figure[]) => of.map((each) => each.of(link, at).padStart(each.width)).join('');
  const spark = layout.spark === 0 ? '' : `  ${sparkline(history, layout.spark, LEAST_MS)}`;
  const why = layout.why === 0 ? '' : `  ${isGood(row.state) ? '' : cut(row.reason, layout.why - 2)}`;
  return [
    {text: `${symbol} `, meaning},
    {text: `${cutStart(linkName(row), layout.name)} `, meaning: quiet},
    {text: row.state.padEnd(layout.state), meaning},
    ...(layout.breaker === 0
      ? []
      : [{text: (breaker.state === 'closed' ? '' : breaker.state).padEnd(layout.breaker), meaning: breakerMeaning(breaker.state)}]),
    {text: `${figures(layout.left)}${spark}${figures(layout.right)}`, meaning: quiet},
    {text: why, meaning: 'muted'},
  ];
}

/** Whether nothing has to be said of a link in this state. */
export const isGood = (state: LinkNow['row']['state']): boolean => linkSign(state).meaning === 'good';

function shortCount(depth: number | null): string {
  if (depth === null) return NOT_MEASURED;
  return depth < 10_000 ? `${depth} msg` : `${Math.round(depth / 1000)}k msg`;
}

/** An age in whole units. */
function shortAge(age: number): string {
  if (age < 1000) return '<1 s';
  return shortMs(Math.floor(age / (age < 60_000 ? 1000 : 60_000)) * (age < 60_000 ? 1000 : 60_000));
}
