import type {LabelledReadings} from '../ports/metrics.ts';
import type {Reading} from './series.ts';

/** What a series of a region is, or why it cannot be told. `code` for scripts. */
export type Chosen =
  | {readonly ok: true; readonly readings: readonly Reading[]}
  | {readonly ok: false; readonly code: 'no-data' | 'ambiguous'; readonly reason: string};

const SHOWN = 3;
/** Of the labels of one series no more than this is shown. */
const LABEL_CHARACTERS = 80;

/**
 * The one set of readings that is meant. `region` null = of the whole fleet. `shared`: the same question was asked for every region, so that only the label `region`
 * tells whose a set is; else an answer with a single set is the region's.
 */
export function readingsOf(sets: readonly LabelledReadings[], region: string | null, shared: boolean): Chosen {
  const own = region === null ? sets : sets.filter(({labels}) => labels.region === region);
  const [only, ...more] = region === null || own.length > 0 || shared ? own : sets;
  if (only !== undefined && more.length === 0) return {ok: true, readings: only.readings};
  if (only !== undefined)
    return {
      ok: false,
      code: 'ambiguous',
      reason: `the answer has ${more.length + 1} series (${shownLabels([only, ...more])}): aggregate them to one, as in sum(...)`,
    };
  if (sets.length === 0 || region === null) return {ok: false, code: 'no-data', reason: 'the source has no values for it in this time'};
  return {
    ok: false,
    code: 'no-data',
    reason: `no series of the answer has the label region="${region}" (it has ${shownLabels(sets)}): use $region in the query, or sum by (region)`,
  };
}

function shownLabels(sets: readonly LabelledReadings[]): string {
  const shown = sets.slice(0, SHOWN).map(({labels}) => {
    const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
    const text = pairs.join(', ').replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ');
    return `{${text.length > LABEL_CHARACTERS ? `${text.slice(0, LABEL_CHARACTERS)}…` : text}}`;
  });
  return sets.length > SHOWN ? `${shown.join(', ')}, …` : shown.join(', ');
}
