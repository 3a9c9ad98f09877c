import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {loadFigures, percentile} from '../../src/lib/witness/load-figures.ts';
import {generatorLine} from '../../src/lib/witness/load-line.ts';
import {LOAD_ENDS, LOAD_PHASES, type LoadLine, type LoadPhase, parseLoadLog, phaseAt} from '../../src/lib/witness/load-log.ts';

const times = fc.array(fc.integer({min: 0, max: 1000}), {maxLength: 300});
const rank = (values: readonly number[], value: number) => values.filter((one) => one <= value).length;

describe('percentile', () => {
  it('is a value that was measured, the smallest that so many percent do not exceed', () => {
    fc.assert(
      fc.property(times, fc.integer({min: 1, max: 100}), (values, percent) => {
        const got = percentile(
          values.toSorted((a, b) => a - b),
          percent,
        );
        if (values.length === 0) expect(got).toBeNull();
        else expect(values).toContain(got);
        expect(rank(values, got ?? 0) * 100).toBeGreaterThanOrEqual(percent * values.length);
        for (const smaller of values.filter((one) => one < (got ?? 0)))
          expect(rank(values, smaller) * 100).toBeLessThan(percent * values.length);
      }),
    );
  });

  it('has its rank from whole numbers: no rounding shifts it', () => {
    const sorted = Float64Array.from({length: 4000}, (_, i) => i + 1);
    const wrong = [...sorted].filter((n) => percentile(sorted.subarray(0, n), 95) !== Number((BigInt(n) * 95n + 99n) / 100n));
    expect(wrong).toEqual([]);
  });
});

const marks = fc.array(fc.record({at: fc.integer({min: 0, max: 100}), phase: fc.constantFrom(...LOAD_PHASES)}), {maxLength: 6});
const order = (phase: LoadPhase) => LOAD_PHASES.indexOf(phase);

describe('the part of a request', () => {
  it('is the furthest that was begun by the time it was sent', () => {
    fc.assert(
      fc.property(marks, fc.integer({min: 0, max: 100}), fc.constantFrom(...LOAD_PHASES), (all, sent, first) => {
        const begun = [first, ...all.filter(({at}) => at <= sent).map(({phase}) => phase)];
        expect(order(phaseAt(sent, all, first))).toBe(Math.max(...begun.map(order)));
      }),
    );
  });

  it('never goes back with time, and does not depend on the order of marks', () => {
    fc.assert(
      fc.property(marks, fc.integer({min: 0, max: 100}), fc.integer({min: 0, max: 50}), (all, sent, more) => {
        expect(order(phaseAt(sent + more, all, 'before'))).toBeGreaterThanOrEqual(order(phaseAt(sent, all, 'before')));
        expect(phaseAt(sent, all.toReversed(), 'before')).toBe(phaseAt(sent, all, 'before'));
      }),
    );
  });

  it('is kept over processes, even when a later one has an earlier clock', () => {
    const log = logOf([
      {mark: 'open', at: 1000, kind: 'built-in', what: 'x'},
      {n: 0, at: 1000, sent: 1000, ms: 5, end: 'ok'},
      {mark: 'phase', at: 2000, phase: 'during'},
      {n: 1, at: 1500, sent: 1500, ms: 900, end: 'ok'},
      {mark: 'open', at: 500, kind: 'built-in', what: 'x'},
      {n: 9, at: 501, sent: 501, ms: 5, end: 'ok'},
    ]);
    expect(log.requests.map(({n, phase}) => [n, phase])).toEqual([
      [0, 'before'],
      [1, 'before'],
      [9, 'during'],
    ]);
  });
});

const logOf = (lines: readonly LoadLine[]) => parseLoadLog(lines.map((line) => JSON.stringify(line)).join('\n'));
const request = fc.record({
  at: fc.integer({min: 0, max: 300}),
  ms: fc.integer({min: 0, max: 50}),
  end: fc.constantFrom(...LOAD_ENDS),
  held: fc.boolean(),
});

describe('the figures of a log', () => {
  it('count each request once, in one part, as good, as an error of one class, or as not judged', () => {
    fc.assert(
      fc.property(fc.array(request, {maxLength: 60}), fc.integer({min: 0, max: 300}), (requests, during) => {
        const log = logOf([
          {mark: 'open', at: 0, kind: 'built-in', what: 'x'},
          {mark: 'phase', at: during, phase: 'during'},
          ...requests.map(({held, ...one}, n): LoadLine => ({n, sent: one.at, ...one, ...(held ? {held} : {})})),
          {mark: 'close', at: 400, left: 3},
        ]);
        const figures = loadFigures(log);
        const parts = LOAD_PHASES.map((phase) => figures[phase]);
        const sum = (of: (part: (typeof parts)[number]) => number) => parts.reduce((all, part) => all + of(part), 0);
        expect(sum((part) => part.requests) + figures.notJudged).toBe(requests.length + 3);
        expect(sum((part) => part.errors)).toBe(figures.all.errors);
        for (const part of parts) {
          expect(part.byEnd.reduce((all, {count}) => all + count, 0)).toBe(part.errors);
          expect(part.errorRate).toBe(part.requests === 0 ? null : part.errors / part.requests);
        }
        const timed = requests.filter(({end, held, at}) => end === 'ok' && !held && at >= during).map(({ms}) => ms);
        expect(figures.during.maxMs).toBe(timed.length === 0 ? null : Math.max(...timed));
        expect(figures.during.p95Ms).toBe(
          percentile(
            timed.toSorted((a, b) => a - b),
            95,
          ),
        );
      }),
    );
  });

  it('know the hole of a process that died, and lines that it tore', () => {
    const log = parseLoadLog(
      [
        '{"mark":"open","at":1000,"kind":"built-in","what":"x"}',
        '{"n":0,"at":1000,"sent":1000,"ms":20,"end":"ok"}',
        '{"n":1,"at":1050,"se',
        '{"n":1,"at":1050,"sent":1050,"ms":20,"end":"good"}',
        '{"mark":"what","at":1}',
        'null',
        '{"mark":"open","at":5000,"kind":"built-in","what":"x"}',
      ].join('\n'),
    );
    expect(log.torn).toBe(4);
    expect(loadFigures(log).holes).toEqual([
      {from: 1020, to: 5000},
      {from: 5000, to: null},
    ]);
  });
});

describe('a line of a generator', () => {
  const wall = 1_800_000_000_000;

  it('is read back as it was written', () => {
    fc.assert(
      fc.property(
        fc.integer({min: -3_000_000, max: 3_000_000}),
        fc.double({min: 0, max: 3_000_000, noNaN: true}).map((ms) => Number(ms.toFixed(3))),
        fc.boolean(),
        fc.boolean(),
        (away, ms, good, iso) => {
          const at = wall + away;
          const line = `${iso ? new Date(at).toISOString() : at}  ${ms.toFixed(3)} ${good ? 'ok' : 'error'} GET /x 500`;
          expect(generatorLine(line, wall)).toEqual({at, ms, ok: good, text: 'GET /x 500'});
        },
      ),
    );
  });

  it('that does not fit is none', () => {
    const at = wall - 10;
    const lines = [
      '',
      'running…',
      `${at} 12`,
      `${at} 12 OK`,
      `${at} -1 ok`,
      `${at} 1e3 ok`,
      `${at} NaN ok`,
      `${at} 12ms ok`,
      `12 ${at} ok`,
    ];
    // A time in seconds, or without a zone, would be another time.
    for (const line of [...lines, `${at / 1000} 12 ok`, '2027-01-15T08:00:00 12 ok', `${wall - 3_700_000} 12 ok`, `${at} 3700000 ok`])
      expect(generatorLine(line, wall), line).toBeNull();
    expect(generatorLine(`${at} 12.5 ok`, wall)).toEqual({at, ms: 12.5, ok: true, text: ''});
    expect(generatorLine('2027-01-15T08:00:00.250+00:00 0 error', wall)).toMatchObject({at: wall + 250, ok: false});
  });
});
