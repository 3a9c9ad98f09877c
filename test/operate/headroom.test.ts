import {describe, expect, it} from 'vitest';
import {headroomNow, limitedQuestions} from '../../src/lib/operate/headroom.ts';
import {regionFacts} from '../../src/lib/operate/region-facts.ts';
import {openMetrics, readingsIn, seriesSpec, sourceOf} from './open-metrics.ts';

const {signal} = new AbortController();
const places = (limit: number) => ['us', 'eu'].map((region) => ({region, limit, query: null, size: 1}));
const series = [
  seriesSpec({name: 'cpu', unit: '%', query: 'cpu{region="$region"}', regions: places(100)}),
  seriesSpec({name: 'disk', unit: 'GB', query: 'disk{region="$region"}', regions: places(50)}),
];
const of = (name: string, region: string) => `${name}{region="${region}"}`;

/** Of a region: cpu at 90 %, the disk at 10 of 50 GB; but for what does not answer. */
async function room(...dark: readonly string[]) {
  const prom = sourceOf((query, range) => {
    if (dark.includes(query)) return {sets: [], remarks: []};
    return {sets: [{labels: {}, readings: readingsIn(range, () => (query.startsWith('cpu') ? 90 : 10))}], remarks: []};
  });
  const {open, clock} = openMetrics({series, sources: {prom}});
  const value = await headroomNow(open, limitedQuestions(open), signal);
  const at = clock.wall();
  const never = {value: null, at: null, failing: null};
  return (region: string) => regionFacts(region, {loss: {}, ready: never, headroom: {value, at, failing: null}}).headroom;
}

describe('what is left of the limits of a region', () => {
  it('is what is left of the one that has least', async () => {
    const of = await room();
    expect(of('eu')).toMatchObject({value: {series: 'cpu', left: 10, unread: []}, why: null});
    expect(of('ap'), 'nothing is measured there').toMatchObject({value: null, why: null});
  });

  it('is not known where none of them can be read, though those of another region can', async () => {
    const found = await room(of('cpu', 'eu'), of('disk', 'eu'));
    const why = 'prom: the source has no value';
    expect(found('eu')).toMatchObject({
      value: null,
      why: expect.stringMatching(new RegExp(`^cpu: ${why}.*; disk: ${why}`)),
    });
    expect(found('us')).toMatchObject({value: {left: 10, unread: []}, why: null});
  });

  it('is no more than what is left of those that can be read, and tells of the others', async () => {
    const found = await room(of('cpu', 'eu'));
    expect(found('eu')).toMatchObject({
      value: {series: 'disk', left: 80, unread: [{series: 'cpu', reason: expect.stringContaining('the source has no values for it')}]},
      why: null,
    });
  });

  it('throws where nothing at all can be read: what was said last ages', async () => {
    const all = ['us', 'eu'].flatMap((region) => [of('cpu', region), of('disk', region)]);
    await expect(room(...all)).rejects.toThrow('prom: the source has no value');
  });
});
