import {describe, expect, it} from 'vitest';
import type {BesideRow} from '../../src/lib/drill/report.ts';
import {refused} from '../../src/lib/errors.ts';
import {afterSetUp, withoutSetUp} from '../../src/lib/operate/drill-beside.ts';

const row = (runId: string | null): BesideRow => ({
  ...{when: 'before', kind: 'switchover', runId, outcome: 'succeeded', says: ''},
  ...{startedAt: null, endedAt: null},
});
const shut = refused('gate-refused', 'nothing was done, gate steady-state refuses: it is not', {suggestions: ['mend it']});

describe('a drill that begins with a run of its own', () => {
  it('and is refused after it, says that this one was done', () => {
    expect(afterSetUp(shut, row('switchover-1'), 'eu-west')).toMatchObject({
      ...{code: 'gate-refused', exit: 77, suggestions: ['mend it', 'regionctl status']},
      message:
        'nothing was done, gate steady-state refuses: it is not. The switchover to eu-west that the drill begins with was done before that, and stays: switchover-1',
    });
  });

  it('says no such thing where there was nothing to be done before, nor of what is no refusal', () => {
    expect(afterSetUp(shut, row(null), 'eu-west')).toBe(shut);
    const bug = new TypeError('oops');
    expect(afterSetUp(bug, row('switchover-1'), 'eu-west')).toBe(bug);
    expect(withoutSetUp(bug, 'eu-west')).toBe(bug);
  });

  it('and can be shown only from where that leads, says so', () => {
    expect(withoutSetUp(shut, 'eu-west')).toMatchObject({
      exit: 77,
      suggestions: ['mend it', 'regionctl switchover run --to eu-west'],
      message: expect.stringContaining('The drill begins with a switchover to eu-west, which a dry run does not do'),
    });
  });
});
