import {expect, it} from 'vitest';
import type {MonitorView} from '../../src/lib/health/monitor.ts';
import {allJudged} from '../../src/lib/operate/dashboard-sources.ts';
import {fakeClock} from '../run/fake-clock.ts';
import {parts} from '../ui/dashboard-samples.ts';

const {health} = parts();
const [first, ...others] = health.regions;
const FRESH = {...health, regions: [{region: first?.region ?? '', verdict: null}, ...others]} as MonitorView;
const {signal} = new AbortController();

it('waits for the first verdict of every region, and no longer', async () => {
  const clock = fakeClock();
  await allJudged(clock, () => (clock.now() < 200 ? FRESH : health), signal);
  expect(clock.now()).toBe(200);
  await allJudged(clock, () => health, signal);
  expect(clock.now()).toBe(200);
});

it('waits for 8 s at the most', async () => {
  const clock = fakeClock();
  await allJudged(clock, () => FRESH, signal);
  expect(clock.now()).toBe(8000);
});
