import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {findExhaustion} from '../../../src/lib/capacity/exhaustion/exhaustion.ts';
import type {Exhaustion} from '../../../src/lib/capacity/exhaustion/result.ts';
import type {Series} from '../../../src/lib/capacity/series.ts';

/*
 * Each folder: `given.json` has a value for each day, the limit, and the day on which the series is really full, if it is; `expected.txt` is what is
 * answered at the end of the last day.
 */
const CASES = join(import.meta.dirname, '../../golden/exhaustion');
const DAY_MS = 86_400_000;

type Given = {
  readonly what: string;
  readonly start: string;
  readonly unit: string;
  readonly limit: number | null;
  readonly full?: string;
  readonly values: readonly number[];
};

function seriesOf({start, unit, limit, values}: Given): Series {
  return {
    ...{name: 'disk', region: null, unit, purpose: 'disk', limit, grain: 'daily', timeZone: 'UTC', remarks: []},
    starts: Float64Array.from(values, (_, day) => Date.parse(start) + day * DAY_MS),
    values: Float64Array.from(values),
  };
}

const date = (at: number | null) => (at === null ? 'none' : new Date(at).toISOString().slice(0, 10));

function textOf({says, state, confidence, p50At, p90At, earliestAt, latestAt, slopePerDay, growth, break: found}: Exhaustion): string {
  return [
    says,
    `state ${state}, confidence ${confidence}`,
    `p50 ${date(p50At)}, p90 ${date(p90At)}, range ${date(earliestAt)} to ${date(latestAt)}`,
    `growth ${growth}, ${slopePerDay?.toFixed(2) ?? 'unknown'} a day`,
    found === null
      ? 'no break'
      : `break ${found.kind} on ${date(found.at)}: jump ${found.jump.toFixed(0)}, slope ${found.slopeChangePerDay.toFixed(2)}`,
    '',
  ].join('\n');
}

describe.each(readdirSync(CASES))('%s', (name) => {
  const given = JSON.parse(readFileSync(join(CASES, name, 'given.json'), 'utf8')) as Given;
  const found = findExhaustion(seriesOf(given));

  it(given.what, async () => {
    await expect(textOf(found)).toMatchFileSnapshot(join(CASES, name, 'expected.txt'));
  });

  // Only some are ever full.
  if (given.full === undefined) return;
  const full = Date.parse(given.full);
  it('is right about the day, by 7 % of the days that are left, and the day is in the range', () => {
    const {p50At, earliestAt, latestAt} = found;
    const end = Date.parse(given.start) + given.values.length * DAY_MS;
    expect(Math.abs((p50At ?? Number.NaN) - full) / DAY_MS).toBeLessThanOrEqual(1 + (0.07 * (full - end)) / DAY_MS);
    expect(earliestAt ?? Number.NaN).toBeLessThanOrEqual(full + DAY_MS);
    expect(latestAt ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(full);
  });
});
