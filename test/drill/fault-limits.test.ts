import fc from 'fast-check';
import {expect, it} from 'vitest';
import {composeDrill} from '../../src/lib/drill/compose-drill.ts';
import {parseDrill} from '../../src/lib/drill/drill-file.ts';
import {healWithin, injectWithin, settleWithin} from '../../src/lib/drill/fault-limits.ts';
import {drillText, inputOf} from './plans.ts';

/** As an injector of commands says it, each with a timeout of three minutes. */
const slow = {injectMs: 12 * 60_000, healMs: 9 * 60_000, lateMs: 3 * 60_000};

it('a drill gives its injector the time that it says it may take, to inject, to undo that, and to heal', () => {
  const composed = (limits: object) => {
    const drill = parseDrill(drillText, {file: '/d.yaml', cwd: '/'});
    const {steps, always} = composeDrill(inputOf(drill, {limits}));
    return [...steps, ...always].flatMap(({id, deadlineMs}) => (id === 'inject' || id === 'heal' ? [[id, deadlineMs]] : []));
  };
  expect(composed(slow)).toEqual([
    ['inject', slow.injectMs + 45_000],
    ['heal', slow.healMs + 15_000 + slow.lateMs],
  ]);
  expect(composed({healMs: 5000, injectMs: 5000})).toEqual([
    ['inject', 50_000],
    ['heal', 40_000],
  ]);
  expect(composed({})).toEqual([
    ['inject', 30_000],
    ['heal', 40_000],
  ]);
});

it('a deadline is never less than the least, nor than what the injector says, nor longer than a timer can be', () => {
  const ms = fc.nat(2_073_600_000);
  fc.assert(
    fc.property(
      fc.record({injectMs: ms, healMs: ms, lateMs: ms}, {requiredKeys: []}),
      fc.integer({min: 1, max: 120_000}),
      (limits, least) => {
        const longest = 2 ** 31 - 1;
        const [heal, settle, inject] = [healWithin(limits, least), settleWithin(limits, least), injectWithin(limits, least)];
        for (const each of [heal, settle, inject]) expect(each >= least && each <= longest).toBe(true);
        expect(heal).toBeGreaterThanOrEqual(Math.min(longest, limits.healMs ?? 0));
        expect(inject).toBeGreaterThanOrEqual(Math.min(longest, limits.injectMs ?? 0));
        // The undo of an injection is a heal.
        expect(inject >= settle && settle >= heal).toBe(true);
      },
    ),
  );
});
