import {describe, expect, it} from 'vitest';
import {spokenRunLine} from '../../src/lib/output/run-lines.ts';
import {spoken} from '../../src/lib/output/spoken.ts';
import {drillPlan, journal} from '../drill/plans.ts';

describe('a line for a screen reader', () => {
  it.each([
    ['ap: healthy → unhealthy: app refused', 'ap: healthy to unhealthy: app refused'],
    ['lost ~4 KiB, ≤ 2 s', 'lost about 4 KiB, at most 2 s'],
    ['loss –, lag –', 'loss not known, lag not known'],
    ['route a-b ~/file', 'route a-b ~/file'],
  ])('%s', (line, says) => expect(spoken(line)).toBe(says));

  it('of a run has a word for each sign, and is never cut', () => {
    const plan = drillPlan();
    const long = 'us-east is unhealthy '.repeat(20).trim();
    const lines = journal(
      [0, 'run-started', null],
      [1200, 'step-started', 'detect'],
      [1900, 'result', 'detect', {result: {}, says: long}],
      [2000, 'step-failed', 'promote', {code: 'x', says: 'not promoted', effect: 'none', result: null}],
      [2100, 'step-skipped', 'inject', {says: 'already done'}],
      [3000, 'interrupted', null, {going: 'back', says: 'going back'}],
      [4000, 'run-ended', null, {outcome: 'undone', code: 'x', reason: 'not promoted'}],
    );
    expect(lines.map((event) => spokenRunLine(event, {plan, startedAt: 0}))).toEqual([
      null,
      '1.2 s  started: notice that us-east is unhealthy',
      `1.9 s  done: notice that us-east is unhealthy: ${long}`,
      '2.0 s  failed: promote eu-west: not promoted',
      expect.stringMatching(/^2\.1 s {2}skipped: .*already done$/),
      '3.0 s  going back',
      '4.0 s  ended: undone: not promoted',
    ]);
  });
});
