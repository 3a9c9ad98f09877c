import type {Belongings} from './belongings.ts';
import {PseudoTerminal} from './pseudo-terminal.ts';
import type {Report} from './report.ts';
import type {TerminalScreen} from './terminal-screen.ts';
import {median, round} from './timing.ts';

const LIMIT_MS = 500;

/** From the start of the process to the end of the first frame with the titles and the first region. `what` says which fleet it is. */
export async function measureFirstFrame(
  {add}: Report,
  {fleet, what, times, belongings}: {fleet: string; what: string; times: number; belongings: Belongings},
): Promise<void> {
  const runs: {firstMs: number; verdictMs: number}[] = [];
  // One more, the first, whose compile cache may be cold.
  for (let each = 0; each <= times; each += 1) {
    const terminal = belongings.own(await PseudoTerminal.start(['dashboard', '--fleet', fleet], {columns: 120, rows: 40}), (it) =>
      it.stop(),
    );
    const first = await terminal.frameWhere((screen) => firstRow(screen) !== null, 'the titles and a region');
    const told = (screen: TerminalScreen): boolean => /healthy|degraded|recovering/u.test(firstRow(screen) ?? '');
    const verdict = await terminal.frameWhere(told, 'a verdict of the first region');
    await terminal.quit();
    runs.push({firstMs: round(first.atMs - terminal.startedMs), verdictMs: round(verdict.atMs - terminal.startedMs)});
  }
  const [cold, ...warm] = runs;
  const ms = median(warm.map(({firstMs}) => firstMs));
  const verdictMs = median(warm.map(({verdictMs: its}) => its));
  const detail = {worstMs: Math.max(...warm.map(({firstMs}) => firstMs)), verdictMs, before: cold, runs: warm};
  add(`dashboard, first frame, ${what}, median of ${times}`, `<= ${LIMIT_MS} ms`, ms, 'ms', ms <= LIMIT_MS, detail);
}

/** The line below the titles; null = they are not there. */
function firstRow(screen: TerminalScreen): string | null {
  const lines = screen.lines();
  const titles = lines.findIndex((line) => /^ *region +verdict /u.test(line));
  const row = titles < 0 ? '' : (lines[titles + 1] ?? '');
  return row.trim() === '' ? null : row;
}
