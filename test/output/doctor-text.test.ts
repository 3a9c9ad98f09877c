import {describe, expect, it} from 'vitest';
import {doctorText} from '../../src/lib/output/doctor-text.ts';
import {plainPaint} from '../../src/lib/output/paint.ts';
import type {Finding} from '../../src/lib/ports/finding.ts';

const LONG = 'checkout (critical, RTO 15 min): worst case 7.1 s: 2.1 s to notice (us-east/app 2.1 s), 5 s to cut over';
const finding = (check: string, verdict: Finding['verdict'], says: string, fix: string | null = null): Finding => ({
  check,
  verdict,
  says,
  fix,
});
const text = (checks: readonly Finding[], columns = 80) =>
  doctorText({fleet: 'f', file: '/f.yaml', checks}, {columns, paint: plainPaint()});

describe('what doctor prints', () => {
  it('a sentence that is told nowhere else is told whole', () => {
    expect(text([finding('state', 'pass', 'can be written'), finding('worst case critical', 'pass', LONG)])).toBe(
      [
        'pass  state                can be written',
        'pass  worst case critical  checkout (critical, RTO 15 min): worst case 7.1 s:',
        '                           2.1 s to notice (us-east/app 2.1 s), 5 s to cut over',
        '',
        'All 2 checks pass.',
      ].join('\n'),
    );
  });

  it('of one that has a fix, the line is cut, and all of it stands below', () => {
    const lines = text([finding('worst case critical', 'error', LONG, 'set it to 100ms')]).split('\n');
    expect(lines[0]).toMatch(/^error {2}worst case critical {2}checkout .*…$/);
    expect(lines.slice(2, -2).join(' ')).toBe(`worst case critical: ${LONG} Fix: set it to 100ms`);
    expect(lines.at(-1)).toBe('1 of 1 checks need attention.');
  });

  it.each([200, 80, 40, 32])('no line is wider than %i columns', (columns) => {
    const checks = [
      finding('endpoint us-east/app', 'warning', LONG, 'bring it up'),
      finding('worst case critical', 'unknown', LONG),
      finding('x', 'pass', 'y'),
    ];
    for (const line of text(checks, columns).split('\n')) expect([...line].length, line).toBeLessThanOrEqual(columns);
  });
});
