import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {DashboardView as View} from '../../src/lib/operate/dashboard-view.ts';
import {textWidth} from '../../src/lib/output/text-width.ts';
import {DashboardView} from '../../src/lib/ui/dashboard-view.tsx';
import {LOST, WELL} from './dashboard-samples.ts';
import {chosen, END, expectFits, showLive, withLiveViews} from './live.tsx';

withLiveViews();

/** A picture with as many regions, each holding a member of as many stores. */
function grown(from: View, regions: number, stores: number, long: boolean): View {
  const rows = Array.from({length: regions}, (_, index) => {
    const like = from.regions[index % from.regions.length] as View['regions'][number];
    const [role] = like.roles;
    const name = `${like.region}-${index}${long ? '-of-a-very-long-name-in-a-place-far-away' : ''}`;
    const roles = role === undefined ? [] : Array.from({length: stores}, (__, at) => ({...role, store: `store-${at}`}));
    return {...like, region: name, roles};
  });
  return {...from, regions: rows};
}

const show = (columns: number, rows: number, view: View) =>
  showLive(columns, rows, view, (props) => (
    <DashboardView {...props} colour={false} onAction={() => undefined} staleMs={5000} windowMs={3_600_000} />
  ));

const picture = fc.record({
  from: fc.constantFrom(WELL, LOST),
  regions: fc.constantFrom(1, 3, 8, 30),
  stores: fc.constantFrom(0, 1, 2, 4),
  long: fc.boolean(),
  linked: fc.boolean(),
  columns: fc.integer({min: 40, max: 300}),
  rows: fc.integer({min: 10, max: 80}),
});

describe('the dashboard', () => {
  it('fits any terminal from 40 x 10 on, shows the chosen region, and ends with the keys for help and the end', async () => {
    await fc.assert(
      fc.asyncProperty(picture, async ({from, regions, stores, long, linked, columns, rows}) => {
        const view = grown(linked ? from : {...from, links: []}, regions, stores, long);
        const {terminal, press} = await show(columns, rows, view);
        for (const frame of [terminal.lastFrame(), await press(END), await press('/', '-', '\r')]) {
          expectFits(frame, columns, rows);
          expect(chosen(frame), frame).not.toBe('');
          expect(frame.split('\n').at(-1), frame).toContain('? help  q quit');
          // The last line of the terminal stays free.
          expect(frame.split('\n').length, frame).toBe(rows - 1);
        }
      }),
      {numRuns: 40},
    );
  }, 30_000);

  it('leaves the stores above the regions out where that is all the room there is', async () => {
    for (const rows of [10, 11]) {
      const {terminal, press} = await show(110, rows, grown({...LOST, links: []}, 3, 4, false));
      for (const frame of [terminal.lastFrame(), await press(END)]) {
        expectFits(frame, 110, rows);
        expect(chosen(frame), frame).not.toBe('');
        expect(frame).not.toMatch(/^store-|^and \d+ stores more/m);
      }
    }
  });

  it('shows the time behind a name whose characters take two columns', async () => {
    const {terminal} = await show(100, 24, {...WELL, fleet: '東京支店'});
    const title = terminal.lastFrame().split('\n')[0] ?? '';
    expect(title).toMatch(/^東京支店 .*, \d+ links? +2026-11-27 10:00:00Z$/);
    expect(textWidth(title)).toBe(100);
  });

  it('tells each key in the help of each list: those that choose a list, and those that do something', async () => {
    const {press} = await show(120, 60, WELL);
    for (const tab of ['1', '2', '3', '4', '5']) {
      const help = await press(tab, '?');
      for (const key of ['Tab ', '1 to 5 ', 'S ', 'F ', 'A ', 'R ']) expect(help, tab).toMatch(new RegExp(`^ +${key}`, 'm'));
      await press('?');
    }
  });

  it('keeps help and the end in the footer behind a filter that is too long', async () => {
    const {press} = await show(60, 24, WELL);
    const frame = await press('/', 'x'.repeat(60), '\r');
    expect(frame.split('\n').at(-1)).toMatch(/…\s+\? help {2}q quit/);
  });
});
