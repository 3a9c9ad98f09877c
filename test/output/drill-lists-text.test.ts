import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {dueNagios, dueText} from '../../src/lib/output/drill-due-text.ts';
import {drillListText} from '../../src/lib/output/drill-list-text.ts';
import {colourPaint, plainPaint} from '../../src/lib/output/paint.ts';
import {AT, drillDue, drillList} from './sample-drills.ts';

const options = {columns: 80, paint: plainPaint(), now: AT};
const texts = {
  'drill due': (columns: number, paint = options.paint) => dueText(drillDue, {...options, columns, paint}),
  'drill list': (columns: number, paint = options.paint) => drillListText(drillList, {...options, columns, paint}),
};

describe.each(Object.entries(texts))('%s for people', (_name, text) => {
  it.each([80, 140])('at %i columns', (columns) => {
    expect(text(columns)).toMatchSnapshot();
  });

  it('is never wider than the terminal, coloured or not', async () => {
    const colours = await colourPaint();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes begin with an escape character.
    const codes = /\u001b\[\d+m/g;
    fc.assert(
      fc.property(fc.integer({min: 40, max: 240}), (columns) => {
        const plain = text(columns);
        for (const line of plain.split('\n')) expect([...line].length).toBeLessThanOrEqual(columns);
        expect(text(columns, colours).replaceAll(codes, '')).toBe(plain);
      }),
    );
  });
});

it('drill due says that nothing is owed, or that there is no calendar', () => {
  const [ok] = drillDue.calendar;
  expect(dueText({...drillDue, calendar: ok === undefined ? [] : [ok]}, options)).toMatch(/^shop: nothing is owed\n/);
  const none = {...drillDue, calendar: [], notes: ['shop has no calendar: add one']};
  expect(dueText(none, options)).toBe('shop has no calendar: add one');
  expect(dueNagios(none, 0)).toBe('REGIONCTL OK - shop has no calendar: add one');
});

it('drill due for monitoring: what is owed, and how long ago each last passed', () => {
  expect(dueNagios(drillDue, 1)).toMatchInlineSnapshot(
    `"REGIONCTL WARNING - shop: overdue: replication-lag-past-the-breaker; never passed: router-lost; unknown: disk-full; due: partition | 'region-lost'=864000s;;;0 'region-frozen'=864000s;;;0 'partition'=1296000s;;;0 'replication-lag-past-the-breaker'=5184000s;;;0 'router-lost'=U 'disk-full'=U 'readiness'=172800s;;;0"`,
  );
  expect(dueNagios({...drillDue, calendar: drillDue.calendar.filter(({state}) => state === 'unknown')}, 3)).toBe(
    "REGIONCTL UNKNOWN - shop: unknown: disk-full | 'disk-full'=U",
  );
});

it('drill list says that there is no fleet file, and that nothing was found', () => {
  expect(drillListText({fleet: null, drills: [], notes: []}, options)).toBe(
    'No drills were found.\n\nNo fleet file was found, so no runs are shown.',
  );
});

it('drill list leaves the scenarios out where every drill is named after its own', () => {
  const named = drillList.drills.filter(({name, scenario}) => name === scenario);
  expect(drillListText(drillList, options)).toContain('SCENAR');
  expect(drillListText({...drillList, drills: named}, options)).toMatch(/^DRILL {10}LAST RUN /);
});
