import {wrap} from '../output/table.ts';

/** What the live view of a run has to show, in lines; `gap` = a witness has written. */
export type Wanted = {readonly rows: number; readonly regions: number; readonly gap: boolean; readonly prompts: readonly string[]};

/** How the lines of a terminal are given away: the steps take what is left, 3 at least. `unseen`: lines of the prompts for which there is no room. */
export type RunLayout = {
  readonly big: boolean;
  readonly regions: number;
  readonly steps: number;
  readonly prompts: readonly string[];
  readonly unseen: number;
};

/** Rows from which the gap is shown in large digits. */
const TALL = 22;
const MOST_REGIONS = 6;
const FEWEST_STEPS = 3;
/** The terminal's last line, the header, and the footer. */
const AROUND = 1 + 2 + 2;
const BIG_GAP = 5;
const SMALL_GAP = 3;
/** A heading and an empty line. */
const PROMPT_FRAME = 2;

/** What a person is told to do must be read whole: the large digits go for it, then the regions, and only then is it cut. Pure. */
export function layOut({rows, regions: all, gap, prompts}: Wanted): RunLayout {
  const free = Math.max(0, rows - AROUND);
  const many = Math.min(all, MOST_REGIONS);
  const told = prompts.length === 0 ? 0 : prompts.length + PROMPT_FRAME;
  const fits = (regions: number, gapLines: number) => told + regions + (gap ? gapLines : 0) + FEWEST_STEPS <= free;
  const big = rows >= TALL && (told === 0 || fits(many + 1, BIG_GAP));
  const gapLines = gap ? (big ? BIG_GAP : SMALL_GAP) : 0;
  const regions = told === 0 || fits(many + 1, gapLines) ? many : 0;
  const above = (regions === 0 && told > 0 ? 0 : regions + 1) + gapLines;
  const room = Math.max(1, free - above - FEWEST_STEPS - PROMPT_FRAME);
  // The last line says that there is more.
  const shown = prompts.length <= room ? prompts : prompts.slice(0, room - 1);
  const taken = told === 0 ? 0 : Math.min(prompts.length, room) + PROMPT_FRAME;
  return {big, regions, steps: Math.max(FEWEST_STEPS, free - above - taken), prompts: shown, unseen: prompts.length - shown.length};
}

/** The prompts as lines of at most `columns`, each with a mark before its first line. */
export function promptLines(prompts: readonly string[], columns: number): readonly string[] {
  return prompts.flatMap((prompt) => {
    const lines = prompt
      .trimEnd()
      .split('\n')
      .flatMap((line) => wrap(line, Math.max(1, columns - 2)));
    return lines.map((line, index) => `${index === 0 ? '- ' : '  '}${line}`);
  });
}
