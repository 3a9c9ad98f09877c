import {describe, expect, it} from 'vitest';
import {startsAfter} from '../../../src/lib/capacity/regularize/steps.ts';
import {clockSpans, isTimeZone} from '../../../src/lib/time-zone.ts';
import {DAY, HOUR, MINUTE, readingsFrom, saidOf, seriesOf} from './samples.ts';

const berlin = {timeZone: 'Europe/Berlin'};
const iso = (at: number): string => new Date(at).toISOString();

it('knows zones by their IANA names', () => {
  expect(['UTC', 'Europe/Berlin', 'Asia/Kolkata'].every(isTimeZone)).toBe(true);
  expect(['', 'Berlin', 'Europe/Berlim', '+25:00'].some(isTimeZone)).toBe(false);
});

it.each([
  ['Europe/Berlin', '2026-01-01', '2026-12-31', ['2026-03-29T01:00:00.000Z', '2026-10-25T01:00:00.000Z']],
  ['America/New_York', '2026-01-01', '2026-12-31', ['2026-03-08T07:00:00.000Z', '2026-11-01T06:00:00.000Z']],
  ['Australia/Lord_Howe', '2026-01-01', '2026-12-31', ['2026-04-04T15:00:00.000Z', '2026-10-03T15:30:00.000Z']],
  ['Asia/Kolkata', '2026-01-01', '2026-12-31', []],
  ['Pacific/Apia', '2011-12-01', '2012-01-31', ['2011-12-30T10:00:00.000Z']],
  ['UTC', '2026-01-01', '2026-12-31', []],
])('finds when the clocks of %s change', (zone, from, to, changes) => {
  const spans = clockSpans(zone, Date.parse(from), Date.parse(to));
  expect(spans.slice(1).map((span) => iso(span.from))).toEqual(changes);
  expect(spans[0]?.from).toBe(Date.parse(from));
});

describe('the hour that spring leaves out', () => {
  const spring = readingsFrom('2026-03-28T23:00:00Z', 23 * 12, 5 * MINUTE, () => 5);

  it('is a step that is not known, and is no gap of the data', () => {
    const series = seriesOf(spring, berlin);
    expect(series.starts).toHaveLength(24);
    expect([...series.values].map(Number.isNaN).indexOf(true)).toBe(2);
    expect(series.values.filter(Number.isNaN)).toHaveLength(1);
    expect(saidOf(series)).toEqual(['dst: 2026-03-29 02:00 does not exist: the clock was put forward']);
    expect(series.remarks[0]).toMatchObject({from: series.starts[2], to: series.starts[2]});
    expect(series.starts[3]! - series.starts[2]!).toBe(1);
  });

  it('makes a day of 23 hours', () => {
    const series = seriesOf(
      readingsFrom('2026-03-26T23:00:00Z', 95, HOUR, () => 1),
      {...berlin, grain: 'daily', purpose: 'orders'},
    );
    expect([...series.values]).toEqual([24, 24, 23, 24]);
    expect(series.starts.map((start, index) => (series.starts[index + 1] ?? start) - start)).toEqual(
      Float64Array.from([DAY, DAY, 23 * HOUR, 0]),
    );
    expect(series.remarks).toEqual([]);
  });
});

describe('the hour that autumn has twice', () => {
  const autumn = readingsFrom('2026-10-24T22:00:00Z', 25, HOUR, (index) => (index === 2 ? 10 : index === 3 ? 30 : 1));

  it('is averaged, and told', () => {
    const series = seriesOf(autumn, berlin);
    expect([...series.values].slice(0, 5)).toEqual([1, 1, 20, 1, 1]);
    expect(series.starts).toHaveLength(24);
    expect(saidOf(series)).toEqual(['dst: 2026-10-25 02:00 lasts 120 minutes: the clock was put back; its mean is taken']);
  });

  it('is summed for orders', () => {
    const series = seriesOf(autumn, {...berlin, purpose: 'orders'});
    expect([...series.values].slice(0, 5)).toEqual([1, 1, 40, 1, 1]);
  });

  it('makes a day of 25 hours', () => {
    const series = seriesOf(
      readingsFrom('2026-10-23T22:00:00Z', 73, HOUR, () => 1),
      {...berlin, grain: 'daily', purpose: 'orders'},
    );
    expect([...series.values]).toEqual([24, 25, 24]);
  });
});

it('half an hour more or less, and a day that there never was', () => {
  const half = seriesOf(readingsFrom('2026-04-04T12:00:00Z', 8 * 12, 5 * MINUTE), {timeZone: 'Australia/Lord_Howe'});
  expect(saidOf(half)).toContain('dst: 2026-04-05 01:00 lasts 90 minutes: the clock was put back; its mean is taken');
  const samoa = seriesOf(readingsFrom('2011-12-28T10:00:00Z', 96, HOUR), {timeZone: 'Pacific/Apia', grain: 'daily'});
  expect([...samoa.values]).toEqual([1, 1, Number.NaN, 1, 1]);
  expect(samoa.remarks).toEqual([]);
});

it('a zone of half hours begins its steps at them', () => {
  const series = seriesOf(readingsFrom('2026-03-02T00:00:00Z', 48, 5 * MINUTE), {timeZone: 'Asia/Kolkata'});
  expect([...series.starts].map(iso)).toEqual(['2026-03-02T00:30:00.000Z', '2026-03-02T01:30:00.000Z', '2026-03-02T02:30:00.000Z']);
});

it('the steps after a series follow the same clock', () => {
  const last = Date.parse('2026-03-28T22:00:00Z');
  const hours = startsAfter(last, 28, {grain: 'hourly', ...berlin});
  expect(hours).toHaveLength(28);
  expect([...hours].slice(0, 5).map(iso)).toEqual([
    '2026-03-28T23:00:00.000Z',
    '2026-03-29T00:00:00.000Z',
    '2026-03-29T00:59:59.999Z',
    '2026-03-29T01:00:00.000Z',
    '2026-03-29T02:00:00.000Z',
  ]);
  expect([...startsAfter(Date.parse('2026-03-27T23:00:00Z'), 3, {grain: 'daily', ...berlin})].map(iso)).toEqual([
    '2026-03-28T23:00:00.000Z',
    '2026-03-29T22:00:00.000Z',
    '2026-03-30T22:00:00.000Z',
  ]);
  expect(startsAfter(last, 600, {grain: 'weekly', ...berlin})).toHaveLength(600);
});
