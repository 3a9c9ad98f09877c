import type {Belongings} from './belongings.ts';
import {type Frame, nowMs, PseudoTerminal} from './pseudo-terminal.ts';
import type {Report} from './report.ts';
import type {TerminalScreen} from './terminal-screen.ts';
import {median, round} from './timing.ts';

type Size = {readonly columns: number; readonly rows: number};
type Presses = {readonly down: number; readonly pageDown: number};
/** A key press, and the frame that shows where it led. */
type Press = {readonly ms: number; readonly bytes: number; readonly repaintBytes: number};

const [DOWN, PAGE_DOWN, HOME] = ['\u001B[B', '\u001B[6~', '\u001B[H'];
/** So many pages are less than the list, whatever the size. */
const PAGES_AT_ONCE = 10;

/** The list of endpoints, a thousand of them, moved through key by key; between the keys the screen goes on as it does. */
export async function measureScroll(
  {add}: Report,
  {fleet, size, presses, belongings}: {fleet: string; size: Size; presses: Presses; belongings: Belongings},
): Promise<void> {
  const args = ['dashboard', '--interval', '60s', '--fleet', fleet];
  const terminal = belongings.own(await PseudoTerminal.start(args, size), (it) => it.stop());
  await terminal.frameWhere((screen) => /healthy/u.test(screen.lines()[0] ?? ''), 'the verdict of the fleet', 60_000);
  const listed = terminal.frameWhere((screen) => chosen(screen) === 0, 'the list of endpoints');
  terminal.type('3');
  await listed;
  terminal.forget();
  const down = await pressAll(terminal, DOWN, presses.down);
  const pages: Press[] = [];
  for (let left = presses.pageDown; left > 0; left -= PAGES_AT_ONCE) {
    const top = terminal.frameWhere((screen) => chosen(screen) === 0, 'the first endpoint again');
    terminal.type(HOME);
    await top;
    pages.push(...(await pressAll(terminal, PAGE_DOWN, Math.min(left, PAGES_AT_ONCE))));
  }
  const {frames} = terminal;
  const whole = frames.filter(({cleared, rows, of}: Frame) => cleared || rows >= of).length;
  const what = `1,000 endpoints at ${size.columns}x${size.rows}`;
  const detail = {
    frames: frames.length,
    mostRows: Math.max(...frames.map(({rows}) => rows)),
    down: figures(down),
    pageDown: figures(pages),
  };
  await terminal.quit();
  add(`${what}, moved through by key: frames that clear the screen or write every row`, '0', whole, 'frames', whole === 0, detail);
  for (const [key, name] of [
    ['down', '↓'],
    ['pageDown', 'PgDn'],
  ] as const) {
    const {bytes, repaintBytes, ms} = detail[key];
    const isLess = bytes.median < repaintBytes;
    add(`${what}, ${name}: a frame, median`, `< a whole screen, ${repaintBytes} bytes`, bytes.median, 'bytes', isLess, bytes);
    add(`${what}, ${name}: the largest frame`, 'no limit', bytes.max, 'bytes', true, bytes);
    add(`${what}, ${name}: from key to frame, median`, 'no limit', ms.median, 'ms', true, ms);
    add(`${what}, ${name}: from key to frame, 95th percentile`, 'no limit', ms.p95, 'ms', true, ms);
  }
}

/** One by one: the next key is pressed some time after the frame of the one before, as the frames do not come at any time. */
async function pressAll(terminal: PseudoTerminal, key: string, times: number): Promise<Press[]> {
  const pressed: Press[] = [];
  for (let each = 0; each < times; each += 1) {
    const before = chosen(terminal.screen);
    const shown = terminal.frameWhere((screen) => chosen(screen) !== before, `another endpoint than that of row ${before}`);
    const at = nowMs();
    terminal.type(key);
    const {atMs, bytes} = await shown;
    pressed.push({ms: atMs - at, bytes, repaintBytes: terminal.screen.repaintBytes()});
    await new Promise((resolve) => setTimeout(resolve, 10 + ((each * 37) % 100)));
  }
  return pressed;
}

/** The place of the chosen endpoint in the list: how many are above the window, and which row of it has the mark. Null = no list of endpoints. */
function chosen(screen: TerminalScreen): number | null {
  const lines = screen.lines();
  const titles = lines.findIndex((line) => /^ *endpoint +probe /u.test(line));
  const marked = lines.findIndex((line) => line.startsWith('▸'));
  if (titles < 0 || marked < titles) return null;
  const above = /↑ (\d+) more/u.exec(lines[titles + 1] ?? '')?.[1];
  return marked - titles - 1 + (above === undefined ? 0 : Number(above) - 1);
}

function figures(presses: readonly Press[]) {
  const spread = (values: readonly number[]) => ({
    median: round(median(values)),
    p95: round(percentile(values, 0.95)),
    max: round(Math.max(...values)),
  });
  return {
    presses: presses.length,
    bytes: spread(presses.map(({bytes}) => bytes)),
    repaintBytes: median(presses.map(({repaintBytes}) => repaintBytes)),
    ms: spread(presses.map(({ms}) => ms)),
  };
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
