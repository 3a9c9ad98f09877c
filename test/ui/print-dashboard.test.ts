import {afterEach, beforeEach, expect, it, vi} from 'vitest';
import type {DashboardMonitor} from '../../src/lib/operate/dashboard.ts';
import type {DashboardEvent, DashboardView} from '../../src/lib/operate/dashboard-view.ts';
import {printDashboard} from '../../src/lib/ui/show-dashboard.ts';
import {WELL} from './dashboard-samples.ts';
import {AT} from './lag-samples.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A monitor that is told what to see, and prints. Answers with what was said since it was last asked. */
function world(format: 'text' | 'ndjson', first: Partial<DashboardView>) {
  const seen: {view: DashboardView} = {view: {...WELL, events: [], notes: [], ...first}};
  const monitor: DashboardMonitor = {view: () => seen.view, onChange: () => () => undefined, stop: async () => null};
  const said: string[] = [];
  printDashboard(monitor, {format, print: (line) => said.push(line), tell: (line) => said.push(`! ${line}`)});
  const after = async (seconds: number, more: Partial<DashboardView>): Promise<readonly string[]> => {
    for (let each = 0; each < seconds * 2; each += 1) {
      seen.view = {...seen.view, ...more, at: seen.view.at + 500};
      await vi.advanceTimersByTimeAsync(500);
    }
    return said.splice(0);
  };
  return {after};
}

it('tells what cannot be read each time that it begins, and when it is over, but not each time that it flickers', async () => {
  const unread = ['orders: its links could not be read: refused'];
  const {after} = world('text', {});
  expect(await after(1, {})).toHaveLength(3);
  expect(await after(2, {notes: unread})).toEqual([`! ${unread[0]}`]);
  expect(await after(3, {notes: []})).toEqual([]);
  expect(await after(2, {notes: unread})).toEqual([]);
  expect(await after(12, {notes: []})).toEqual([`! no longer: ${unread[0]}`]);
  expect(await after(2, {notes: unread})).toEqual([`! ${unread[0]}`]);
});

it('tells a note once, however many it is of, and says of none that goes on for another reason that it is over', async () => {
  const cut = (count: number) => [`no uplink answers: this machine is cut off (${count} not judged)`];
  const {after} = world('text', {});
  await after(1, {});
  expect(await after(2, {notes: cut(3)})).toEqual([`! ${cut(3)[0]}`]);
  expect(await after(20, {notes: cut(7)})).toEqual([]);
  expect(await after(12, {notes: []})).toEqual([`! no longer: ${cut(7)[0]}`]);
  expect(await after(2, {notes: ['web: timed out']})).toEqual(['! web: timed out']);
  expect(await after(20, {notes: ['web: refused']})).toEqual(['! web: refused']);
});

it('prints nothing that a terminal would obey', async () => {
  const evil = 'no \u001B[2Jroute\nto host';
  const event: DashboardEvent = {seq: 1, at: AT, kind: 'region', text: evil, bad: true};
  const regions = WELL.regions.map((each) => ({...each, reason: evil}));
  const lines = await world('text', {regions, events: [event], notes: [evil]}).after(1, {});
  expect(lines).toHaveLength(5);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  for (const line of lines) expect(line).not.toMatch(/[\u0000-\u001F]/u);
});
