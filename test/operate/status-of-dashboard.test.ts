import {expect, it} from 'vitest';
import type {DashboardParts} from '../../src/lib/operate/dashboard-view.ts';
import {dashboardKeeper, statusOfDashboard} from '../../src/lib/operate/status-of-dashboard.ts';
import {statusSchema} from '../../src/lib/output/schemas/health.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {fakeClock} from '../run/fake-clock.ts';
import {parts} from '../ui/dashboard-samples.ts';
import {AT} from '../ui/lag-samples.ts';

const silent = <T>(value: T | null) => ({
  value,
  at: value === null ? null : AT - 45_000,
  failing: {code: 'timeout', reason: 'it did not answer', since: AT - 44_000},
});

it('is the document of status, by its own rules', () => {
  const document = statusOfDashboard(parts());
  expect(statusSchema.parse(document)).toEqual(document);
  expect(document).toMatchObject({
    fleet: 'shop',
    at: new Date(AT).toISOString(),
    // As status judges it: a link of ap is late, and its member is not known.
    verdict: 'degraded',
    activeRun: null,
  });
  const [us, eu, ap] = document.regions;
  expect(us).toMatchObject({
    verdict: 'healthy',
    ageMs: 0,
    roles: [{role: 'primary', writable: true, ageMs: 400}],
    weightByRoute: {web: 60},
    ageMsByRoute: {web: 400},
    lagWorst: null,
    loss: null,
    ready: [],
    headroom: null,
  });
  expect(eu).toMatchObject({
    loss: [{store: 'orders', bytes: 4096, withinRpo: true, ageMs: 400}],
    ready: [{from: 'us-east', ready: true, ageMs: 400}],
  });
  expect(ap).toMatchObject({
    roles: [{role: 'unknown', ageMs: null}],
    loss: [{bytes: null, certainty: 'unknown'}],
    ready: [{from: 'us-east', ready: false, reason: 'loss-within-rpo: not known'}],
  });
  expect(document.notes).toContain('orders: could not read ap (ap did not answer within 5000 ms)');
});

it('what a source does not tell any more is not known, whatever it said last', () => {
  const well = parts();
  const document = statusOfDashboard({
    ...well,
    stores: {orders: silent(well.stores.orders?.value ?? null)},
    routers: {web: silent({'us-east': 100})},
    ready: silent(null),
    headroom: silent(null),
    runs: silent(null),
  });
  expect(document.verdict).toBe('unknown');
  for (const {roles, weightByRoute} of document.regions) {
    expect(roles).toMatchObject([{role: 'unknown'}]);
    expect(weightByRoute).toEqual({web: null});
  }
  const reason = 'it did not answer';
  expect(document.regions[1]).toMatchObject({
    ready: [
      {from: 'us-east', ready: null, reason},
      {from: 'ap', ready: null, reason},
    ],
    headroom: {left: null, reason},
  });
  expect(document.notes).toEqual(expect.arrayContaining([`web: ${reason}`, `the runs could not be read: ${reason}`]));
});

it('a limit that could not be read is told of beside the one that has least left', () => {
  const disk = {series: 'disk', value: 10, limit: 50, unit: 'GB', left: 80, at: AT - 20_000};
  const reason = 'prom: no answer within 5000 ms';
  const dark = {series: 'cpu', left: null, reason};
  const limits = [
    {...disk, region: 'us-east'},
    {...dark, region: 'eu-west'},
    {...disk, region: 'ap'},
    {...dark, region: 'ap'},
  ];
  const document = statusOfDashboard({...parts(), headroom: {value: limits, at: AT - 400, failing: null}});
  expect(statusSchema.parse(document)).toEqual(document);
  const [us, eu, ap] = document.regions.map(({headroom}) => headroom);
  const known = {series: 'disk', left: 80, limit: 50, value: 10, unit: 'GB', ageMs: 20_000, reason: null};
  expect(us).toEqual(known);
  expect(eu, 'it is not that nothing is measured').toMatchObject({left: null, reason: `cpu: ${reason}`});
  expect(ap).toEqual({...known, unread: [{series: 'cpu', reason}]});
});

function keeper(remember: () => void) {
  const clock = fakeClock();
  let opened = 0;
  const state = async () => {
    opened += 1;
    return {remember};
  };
  const {fleet} = parts();
  const open = {fleet: {...fleet, secrets: {scrub: (text: string) => text}}, clock, state} as unknown as OpenFleet;
  return {clock, keep: dashboardKeeper(open), opened: () => opened};
}

it('half a picture does not take the place of a whole one', async () => {
  let kept = 0;
  const {keep} = keeper(() => {
    kept += 1;
  });
  const asking = {value: null, at: null, failing: null};
  const halves: readonly Partial<DashboardParts>[] = [
    {ready: asking},
    {stores: {orders: asking}},
    {routers: {web: asking}},
    {runs: asking},
    {headroom: asking},
    {lag: {...parts().lag, waiting: ['orders']}},
    {health: {...parts().health, regions: [{region: 'ap', verdict: null}]}},
  ];
  for (const half of halves) await keep(parts(half));
  expect(kept).toBe(0);
  await keep(parts({ready: silent(null)}));
  expect(kept, 'a source that failed is no reason to wait').toBe(1);
});

it('a state that cannot be written is left alone for half a minute', async () => {
  const {clock, keep, opened} = keeper(() => {
    throw new Error('the disk is full');
  });
  await keep(parts());
  await keep(parts());
  expect(opened()).toBe(1);
  clock.advance(30_000);
  await keep(parts());
  expect(opened()).toBe(2);
});
