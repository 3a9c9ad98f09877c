import {EXIT, type ExitCode} from '../exit-codes.ts';
import {type LinkStanding, worst} from './lag.ts';

/** How a link stands, and how much it lacks. */
export type LinkFigures = LinkStanding & {readonly replayBytes: number | null; readonly messages?: {readonly depth: number | null}};

const WORST: readonly ExitCode[] = [EXIT.critical, EXIT.unknown, EXIT.warning, EXIT.good];

/** The link that stands worst, then the one that is furthest behind. One that is down or not known comes before any figure: no number is not a small one. */
export function worstLink<T>(links: readonly T[], figures: (link: T) => LinkFigures): T | null {
  const rank = (link: LinkFigures): number => WORST.indexOf(worst([link]));
  const size = ({replayBytes, messages}: LinkFigures): number => replayBytes ?? messages?.depth ?? Number.POSITIVE_INFINITY;
  const ranked = links.map((link) => ({link, own: figures(link)}));
  const [first] = ranked.toSorted(
    ({own: a}, {own: b}) =>
      rank(a) - rank(b) ||
      falling(a.seconds ?? Number.POSITIVE_INFINITY, b.seconds ?? Number.POSITIVE_INFINITY) ||
      falling(size(a), size(b)),
  );
  return first?.link ?? null;
}

const falling = (a: number, b: number): number => (a === b ? 0 : a > b ? -1 : 1);
