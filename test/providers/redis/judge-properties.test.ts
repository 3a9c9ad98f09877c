import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {infoOf} from '../../../src/lib/providers/redis/info.ts';
import {judge} from '../../../src/lib/providers/redis/judge.ts';
import {cutOff, infoText, PRIMARY, STANDBY} from './info-text.ts';

const KEYS = [...new Set([...Object.keys(PRIMARY), ...Object.keys(cutOff(1)), 'slave2', '__proto__', 'constructor'])];
const value = fc.oneof(
  fc.constantFrom('master', 'slave', 'replica', 'sentinel', 'up', 'down', 'err', 'ok', '0', '1', '-1', '9'.repeat(30), 'constructor'),
  fc.string({unit: 'binary'}),
  fc.integer().map(String),
);
const anything = fc.oneof(
  fc.string(),
  fc.dictionary(fc.constantFrom(...KEYS), value).map(infoText),
  fc.dictionary(fc.constantFrom(...KEYS), value).map((odd) => infoText({...PRIMARY, ...odd})),
  fc.dictionary(fc.constantFrom(...KEYS), value).map((odd) => infoText({...STANDBY, ...odd})),
);
const wanted = fc.record(
  {
    expect: fc.constantFrom('primary', 'standby', 'any'),
    maxReplicationAge: fc.nat(100_000),
    minReplicas: fc.integer({min: 1, max: 5}),
    maxMemory: fc.integer({min: 1, max: 100}),
  },
  {requiredKeys: ['expect']},
);

describe('whatever a server says', () => {
  it('is a result in its right form, and never well without a role', () => {
    fc.assert(
      fc.property(anything, wanted, (text, want) => {
        const result = judge(infoOf(text), want, 1);
        expect(result.ok === true).toBe(result.code === 'ok');
        expect(`${result.detail} ${result.warning?.says}`).not.toMatch(/\p{Cc}|NaN/u);
        expect(JSON.parse(JSON.stringify(result))).toEqual(result);
        const {role = null} = result.facts as {role?: string};
        if (result.ok === true) expect(want.expect === 'any' ? ['primary', 'standby'] : [want.expect]).toContain(role);
        else expect(result).not.toHaveProperty('warning');
      }),
      {numRuns: 1000},
    );
  });

  it('grows no better by a stricter wish', () => {
    const rank = ({ok, warning}: ReturnType<typeof judge>) => (ok === false ? 2 : warning === undefined ? 0 : 1);
    fc.assert(
      fc.property(anything, wanted, fc.nat(5000), fc.nat(3), (text, want, less, more) => {
        const info = infoOf(text);
        const {maxReplicationAge, minReplicas = 0} = want;
        const stricter = {
          ...want,
          ...(maxReplicationAge === undefined ? {} : {maxReplicationAge: Math.max(0, maxReplicationAge - less)}),
          minReplicas: minReplicas + more,
        };
        expect(rank(judge(info, stricter, 1))).toBeGreaterThanOrEqual(rank(judge(info, want, 1)));
      }),
    );
  });

  it('is late exactly when it is older than is wanted', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.nat(200), fc.nat(200_000), (up, seconds, maxReplicationAge) => {
        const fields = up ? {...STANDBY, master_last_io_seconds_ago: seconds} : cutOff(seconds);
        expect(judge(infoOf(infoText(fields)), {expect: 'any', maxReplicationAge}, 1).code).toBe(
          seconds * 1000 > maxReplicationAge ? 'replication-late' : 'ok',
        );
      }),
    );
  });
});
