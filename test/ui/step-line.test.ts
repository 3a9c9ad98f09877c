import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {textWidth} from '../../src/lib/output/text-width.ts';
import type {StepStatus} from '../../src/lib/plan/plan-document.ts';
import {type SteppedOn, stepLine, textOf} from '../../src/lib/ui/step-line.ts';

const START = Date.parse('2026-01-31T12:00:00.000Z');
const RUNNING: SteppedOn = {phase: 'promote', title: 'promote eu-west', status: 'running', startedAt: START, endedAt: null, detail: null};
const line = (step: Partial<SteppedOn>, after: number, columns = 60, grainMs = 100) =>
  textOf(stepLine({...RUNNING, ...step}, {at: START + after, grainMs, columns}));

describe('the line of a step', () => {
  it('says how long it has been running, in the steps that were asked for', () => {
    expect(line({}, 1290)).toMatch(/^▶ promote {3}promote eu-west +1\.2 s$/);
    expect(line({}, 1290, 60, 1000)).toMatch(/ 1 s$/);
    expect(line({startedAt: new Date(START).toISOString()}, 1290)).toBe(line({}, 1290));
    expect(line({}, 3_599_000, 50)).toMatch(/west +59 min 59 s$/);
  });

  it('says how long it took, with what is known of it', () => {
    const ended = {endedAt: new Date(START + 412).toISOString(), detail: 'timeline 4'};
    expect(line({...ended, status: 'done'}, 9000)).toMatch(/^✓ promote {3}promote eu-west: timeline 4 +412 ms$/);
    expect(stepLine({...RUNNING, ...ended, status: 'failed'}, {at: START, grainMs: 100, columns: 60})[3]?.meaning).toBe('critical');
    expect(line({status: 'pending', startedAt: null}, 9000)).toBe('· promote   promote eu-west');
  });

  it('is never wider than it may be, and its title is cut last', () => {
    const words = fc.string({unit: fc.constantFrom('a', ' ', '→', '東', 'é'), maxLength: 90});
    const statuses = fc.constantFrom<StepStatus>('pending', 'running', 'done', 'skipped', 'failed', 'undone');
    fc.assert(
      fc.property(
        words,
        fc.option(words),
        statuses,
        fc.integer({min: 24, max: 140}),
        fc.nat({max: 1e9}),
        (title, detail, status, columns, ms) => {
          const text = textOf(stepLine({...RUNNING, title, detail, status, endedAt: START + ms}, {at: START, grainMs: 100, columns}));
          expect(textWidth(text)).toBeLessThanOrEqual(columns);
        },
      ),
    );
    expect(line({title: 'a title that is long', detail: 'and what is known of it'}, 0, 50)).toMatch(/a title that is long: an…/);
  });
});
