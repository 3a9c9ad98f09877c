import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {type EndSeen, faultEnding, faultRows} from '../../src/lib/drill/fault-rows.ts';
import type {Json} from '../../src/lib/plan/json.ts';
import {drillPlan, type JournalLine, journal} from './plans.ts';

const T0 = Date.parse('2026-01-01T00:00:00Z');
const iso = (ms: number) => new Date(T0 + ms).toISOString();
const LEASE = 10_000;
const ending = (healed: EndSeen['healed'], more: Partial<EndSeen> = {}) =>
  faultEnding({fault: 'lose', injectedAt: iso(0), leaseMs: LEASE, noted: null, activeAt: T0 + 500, healed, ...more});
const heal = (more: Record<string, Json> = {}) => ({
  healedAt: iso(31_000),
  lookedAt: iso(30_000),
  found: [],
  ended: [],
  provenHealed: true,
  ...more,
});

describe('the end of a fault', () => {
  it('is when it was healed, if it was there then, whatever ended before', () => {
    const ended = [{kind: 'lose', at: iso(2000), by: 'lease'}];
    expect(ending(heal({found: ['lose'], ended}))).toEqual({
      ...{healedAt: iso(31_000), endBasis: 'seen', endedBy: 'heal', endFrom: null, endTo: null, endSays: null},
    });
  });

  it('is what its injector wrote down, if that is of this injection and not of a clock that says something else', () => {
    const ended = [
      {kind: 'freeze', at: iso(9000), by: 'heal'},
      {kind: 'lose', at: iso(11_200), by: 'lease'},
    ];
    expect(ending(heal({ended}))).toMatchObject({
      ...{healedAt: iso(11_200), endBasis: 'recorded', endedBy: 'lease', endFrom: null},
      endSays: expect.stringMatching(/^it ended with its lease of 10 s at .*00:00:11.*wrote down$/u),
    });
    for (const at of [iso(-1), iso(60_000)])
      expect(ending(heal({ended: [{kind: 'lose', at, by: 'lease'}]}))).toMatchObject({endBasis: 'estimated'});
    // Written down a moment after the place answered.
    expect(ending(heal({ended: [{kind: 'lose', at: iso(32_000), by: 'heal'}]}))).toMatchObject({healedAt: iso(31_000), endedBy: 'heal'});
  });

  it('is what its reaper wrote into the journal, also where the run was never taken up again', () => {
    const noted = {at: iso(10_400), by: 'lease' as const, says: 'lose on us-east ended with its lease'};
    for (const healed of [heal(), heal({found: null}), {}])
      expect(ending(healed, {noted})).toMatchObject({healedAt: iso(10_400), endBasis: 'recorded'});
  });

  it('else lies between the last sight of it and the first time it was gone, most likely at the end of its lease', () => {
    expect(ending(heal())).toEqual({
      ...{healedAt: iso(10_000), endBasis: 'estimated', endedBy: 'lease', endFrom: iso(500), endTo: iso(30_000)},
      endSays: expect.stringMatching(/between .*00:00:00.* and .*00:00:30.*, most likely with its lease$/u),
    });
    // Gone before its lease was over: somebody else ended it.
    expect(ending(heal({lookedAt: iso(8000), healedAt: iso(9000)}))).toMatchObject({healedAt: iso(8000), endedBy: null, endTo: iso(8000)});
    // Seen after its lease was over: it was late, by what is certain.
    expect(ending(heal(), {activeAt: T0 + 20_000})).toMatchObject({healedAt: iso(20_000), endedBy: 'lease', endFrom: iso(20_000)});
  });

  it('is never outside of what is known of it', () => {
    const any = fc.record({
      activeAt: fc.option(fc.nat(40_000)),
      looked: fc.nat(40_000),
      lease: fc.integer({min: 1, max: 40_000}),
      kept: fc.option(fc.nat(60_000)),
    });
    fc.assert(
      fc.property(any, ({activeAt, looked, lease, kept}) => {
        const ended = kept === null ? [] : [{kind: 'lose', at: iso(kept), by: 'lease'}];
        const healed = heal({lookedAt: iso(looked), healedAt: iso(looked + 1000), ended});
        const {healedAt, endFrom, endTo} = ending(healed, {activeAt: activeAt === null ? null : T0 + activeAt, leaseMs: lease});
        expect(healedAt! >= iso(0) && healedAt! <= iso(looked + 1000)).toBe(true);
        if (endFrom !== null) expect([endFrom <= healedAt!, healedAt! <= endTo!]).toEqual([true, true]);
      }),
    );
  });

  it('of an old journal, which does not say what was found, is when it was healed', () => {
    expect(ending({healedAt: iso(31_000), provenHealed: true})).toMatchObject({healedAt: iso(31_000), endBasis: 'seen'});
    expect(ending({})).toMatchObject({healedAt: null, endBasis: null, endedBy: null});
  });
});

describe('the rows of faults', () => {
  const plan = drillPlan();
  const at = (ms: number) => T0 + ms;
  const injected: readonly JournalLine[] = [
    [at(0), 'intent', 'inject', {action: 'fault.inject', v: 1, says: ''}],
    [at(100), 'result', 'inject', {result: {injectedAt: iso(50)}, says: ''}],
  ];
  const note: JournalLine = [
    at(9000),
    'note',
    null,
    {says: 'ended', ended: {fault: 'lose', region: 'us-east', at: iso(8900), by: 'lease'}},
  ];
  const healed = (more: Json): JournalLine => [at(31_000), 'result', 'heal', {result: more, says: ''}];
  const rows = (...lines: readonly JournalLine[]) => faultRows(plan, journal(...lines));

  it('say of a drill that was killed when its reaper ended the fault, and by what that is known', () => {
    expect(rows(...injected)).toMatchObject([{healedAt: null, provenHealed: false, endBasis: null}]);
    expect(rows(...injected, note)).toMatchObject([{healedAt: iso(8900), provenHealed: true, proof: 'ended', endedBy: 'lease'}]);
    // A note of before the last injection is of an earlier one.
    expect(rows(note, ...injected)).toMatchObject([{healedAt: null, provenHealed: false}]);
  });

  it('are not proven to have ended by a note of an earlier end that was written late', () => {
    const again: readonly JournalLine[] = [
      [at(8950), 'intent', 'inject', {action: 'fault.inject', v: 1, says: ''}],
      [at(9500), 'result', 'inject', {result: {injectedAt: iso(9450)}, says: ''}],
    ];
    const [begun, done] = again as [JournalLine, JournalLine];
    expect(rows(...injected, begun, note, done)).toMatchObject([{healedAt: null, provenHealed: false, proof: null}]);
    // The second was killed before it said that it was there: its note counts from its beginning on.
    expect(rows(...injected, begun, note)).toMatchObject([{healedAt: null, provenHealed: false}]);
    const own: JournalLine = [
      at(9900),
      'note',
      null,
      {says: 'again', ended: {fault: 'lose', region: 'us-east', at: iso(9800), by: 'heal'}},
    ];
    expect(rows(...injected, begun, own)).toMatchObject([{provenHealed: true, proof: 'again'}]);
  });

  it('count a fault as there until the moment at which it was asked whether it outlasted the reaction', () => {
    const still: readonly JournalLine[] = [
      [at(20_000), 'step-started', 'outlasted', {attempt: 1}],
      [at(20_400), 'result', 'outlasted', {result: {held: true, says: ''}, says: ''}],
    ];
    expect(rows(...injected, healed(heal()))).toMatchObject([{endFrom: iso(100)}]);
    expect(rows(...injected, ...still, healed(heal()))).toMatchObject([{endFrom: iso(20_000), endTo: iso(30_000), endBasis: 'estimated'}]);
  });
});
