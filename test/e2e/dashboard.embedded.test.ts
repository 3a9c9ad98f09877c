import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {HistoryDocument} from '../../src/lib/health/history.ts';
import {linesOf, noTerminal, Terminal} from '../cli/terminal.ts';
import {LabSession} from './lab-session.ts';

const DOWN = '\u001B[B';

const without = noTerminal();
const [COLUMNS, ROWS] = [120, 40];

/** The rows of the screen as they stand now. */
const rowsOf = (terminal: Terminal): readonly string[] => linesOf(terminal.output);

describe.skipIf(without !== null)(`the dashboard on a lab${without === null ? '' : `: ${without}`}`, () => {
  const lab = new LabSession();
  let terminal: Terminal;
  const row = (region: string): string => rowsOf(terminal).find((line) => line.slice(3).startsWith(`${region} `)) ?? '';

  beforeAll(async () => {
    await lab.up();
    terminal = new Terminal(['dashboard', '--interval', '500ms', '--allow-actions'], {
      columns: COLUMNS,
      rows: ROWS,
      env: {REGIONCTL_FLEET: lab.fleetFile},
      cwd: lab.parent,
    });
    await terminal.when(() => /healthy .* yes /.test(row('eu-west')) && / P orders /.test(row('us-east')), 'it did not become healthy');
  }, 60_000);
  afterAll(async () => {
    terminal?.close();
    await lab.remove();
  });

  it('gives the command that a key starts every key, waits for Enter behind what it says, and hears keys afterwards', async () => {
    terminal.type(DOWN);
    await terminal.when(() => rowsOf(terminal).some((line) => line.startsWith('▸● eu-west ')), 'eu-west is not chosen');
    const before = terminal.output.length;
    const said = (): string => terminal.output.slice(before);
    terminal.type('S');
    await terminal.when(() => said().includes('(us-east) to go on: '), 'it did not ask');
    for (const key of 'us-east') {
      terminal.type(key);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    terminal.type('\r');
    await terminal.when(() => said().includes('Enter: back to the dashboard'), 'it did not end', 40_000);
    expect(said(), 'no key was missing').not.toContain('nothing was done');
    expect(said()).toContain('succeeded');
    const ended = terminal.output.length;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(terminal.output.length, 'it stays to be read').toBe(ended);
    terminal.type('\r');
    await terminal.when(() => / P orders /.test(row('eu-west')), 'the dashboard did not come back');
    terminal.type('2');
    await terminal.when(() => rowsOf(terminal).some((line) => line.includes('[2 links]')), 'a key was not heard', 2000);
    terminal.type('1');
  }, 90_000);

  it('shows a run of somebody else with its steps, who holds the primary afterwards, and how it ended', async () => {
    const run = lab.run(['switchover', 'run', '--to', 'us-east', '--yes']);
    await terminal.when(
      () => rowsOf(terminal).some((line) => /▶ switchover eu-west → us-east running.* of \d+ steps/.test(line)),
      'no run was shown',
    );
    expect(rowsOf(terminal).join('\n')).toContain('Steps of switchover-');
    expect((await run).code).toBe(0);
    await terminal.when(() => / P orders /.test(row('us-east')) && / s orders /.test(row('eu-west')), 'the roles did not change');
    await terminal.when(() => rowsOf(terminal).some((line) => /switchover-\S+ succeeded/.test(line)), 'its end was not told');
    // Below the list the last ones have room only.
    terminal.type('5');
    await terminal.when(
      () => rowsOf(terminal).some((line) => line.includes('orders us-east: standby → primary')),
      'the new role was not told',
    );
    terminal.type('1');
    await terminal.when(() => rowsOf(terminal).some((line) => line.includes('[1 regions]')), 'the regions did not come back');
  }, 60_000);

  it('shows a lost region within a second of its verdict, and goes on with all others', async () => {
    await terminal.when(() => ['us-east', 'eu-west', 'ap'].every((region) => row(region).includes(' healthy ')), 'it did not settle');
    const lostAt = Date.now();
    expect((await lab.run(['lab', 'fault', 'lose', 'us-east'])).code).toBe(0);
    const times = new Set<string>();
    let seenAt: number | null = null;
    while (Date.now() - lostAt < 8000) {
      if (seenAt === null && row('us-east').includes(' unhealthy ')) seenAt = Date.now();
      times.add(/\d\d:\d\d:\d\dZ/.exec(rowsOf(terminal)[0] ?? '')?.[0] ?? '');
      for (const other of ['eu-west', 'ap']) expect(row(other), 'the age of what the others say').toMatch(/(<1 s|1 s|2 s)\s*$/);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(seenAt, rowsOf(terminal).join('\n')).not.toBeNull();
    expect(times.size, `a frame each second:\n${rowsOf(terminal).join('\n')}`).toBeGreaterThanOrEqual(7);
    const {entries} = await lab.json<HistoryDocument>(0, ['health', 'history', '--json']);
    const verdict = entries.findLast(({region, to}) => region === 'us-east' && to === 'unhealthy');
    const verdictAt = Date.parse(verdict?.at ?? '');
    // Two looks of a second each at the most, begun within half a second, and what they are confirmed with.
    expect(verdictAt - lostAt).toBeLessThan(5000);
    expect((seenAt ?? 0) - verdictAt).toBeLessThan(1000);
    expect(rowsOf(terminal).join('\n')).toMatch(/orders {2}P\? us-east, not seen for \d+ s/);
    terminal.type('2');
    await terminal.when(() => rowsOf(terminal).some((line) => line.includes('[2 links]')), 'a key was not heard', 1000);
    terminal.type('q');
    expect((await terminal.ended()).restored).toBe(true);
  }, 60_000);
});
