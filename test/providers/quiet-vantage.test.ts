import {expect, it} from 'vitest';
import type {ProbeResult} from '../../src/lib/ports/probe.ts';
import type {Vantage} from '../../src/lib/ports/vantage.ts';
import {quietVantage} from '../../src/lib/providers/quiet-vantage.ts';
import {fakeClock} from '../run/fake-clock.ts';

const SILENT: ProbeResult = {ok: null, latencyMs: null, code: 'vantage-silent', detail: 'no answer'};
const GOOD: ProbeResult = {ok: true, latencyMs: 1, code: 'ok', detail: 'well'};
const target = {kind: 'tcp', host: 'a', port: 1, whole: true} as const;
const live = new AbortController().signal;

it('leaves a vantage point alone for ten seconds after three silences, then asks once', async () => {
  const clock = fakeClock();
  const world = {says: SILENT, asked: 0};
  const vantage: Vantage = {
    graceMs: 100,
    check: async () => {
      world.asked += 1;
      return world.says;
    },
  };
  const quiet = quietVantage('sa', vantage, clock);
  const ask = () => quiet.check(target, 1000, live);
  for (let each = 0; each < 5; each += 1) expect(await ask()).toMatchObject({ok: null, code: 'vantage-silent'});
  expect(world.asked).toBe(3);
  expect((await ask()).detail).toBe('sa did not answer 3 times in a row; it is asked again within 10 s');
  clock.advance(10_001);
  await Promise.all([ask(), ask(), ask()]);
  expect(world.asked, 'the others wait for what one question brings').toBe(4);
  clock.advance(10_001);
  world.says = GOOD;
  expect(await ask()).toEqual(GOOD);
  expect(await ask()).toEqual(GOOD);
  expect(world.asked).toBe(6);
});

it('takes a question that was called off for no silence', async () => {
  const vantage: Vantage = {graceMs: 100, check: async () => SILENT};
  const quiet = quietVantage('sa', vantage, fakeClock());
  for (let each = 0; each < 5; each += 1) await quiet.check(target, 1000, AbortSignal.abort(new Error('the verdict stands')));
  expect((await quiet.check(target, 1000, live)).detail).toBe('no answer');
});
