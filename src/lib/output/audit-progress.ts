import {grouped} from './audit-text.ts';
import {cut} from './table.ts';
import {formatMs} from './units.ts';

/** Where an audit is. `rows` of `of`, the latter as the engines estimate it. `pausedBy` null = it goes on. */
export type ProgressView = {
  readonly table: string;
  readonly tables: number;
  readonly done: number;
  readonly rows: number;
  readonly of: number;
  readonly pausedBy: string | null;
};

const BAR = 16;

/**
 * One line that fits the terminal: how far it is, how fast, and how long it will take if the rest goes like what was read so far. `from` = rows that an
 * earlier process had read.
 */
export function progressLine(view: ProgressView, elapsedMs: number, columns: number, from = 0): string {
  const {table, tables, done, rows, of, pausedBy} = view;
  const share = of === 0 ? 0 : Math.min(1, rows / of);
  const full = Math.round(share * BAR);
  const bar = `${'█'.repeat(full)}${'░'.repeat(BAR - full)}`;
  const own = rows - from;
  const rate = own / Math.max(1, elapsedMs);
  // Nothing is promised before there is something to go by.
  const isEarly = own < 1000 || elapsedMs < 500;
  const left = isEarly ? '' : `about ${formatMs(roughly((of - rows) / Math.max(rate, 1e-9)))} left  `;
  const says = pausedBy === null ? left : `holding still: ${pausedBy}  `;
  const speed = isEarly || pausedBy !== null ? '' : `, ${grouped(Math.round(rate * 1000))}/s`;
  const where = `${table} (${done + 1} of ${tables})  ${grouped(rows)} of ~${grouped(Math.round(of))} rows`;
  return cut(`${bar} ${Math.floor(share * 100)} %  ${says}${where}${speed}`, columns);
}

/** An estimate has no tenths. */
const roughly = (ms: number): number => (ms < 60_000 ? Math.ceil(ms / 1000) * 1000 : Math.ceil(ms / 60_000) * 60_000);

/** Draws the line on a terminal, over itself, a few times a second at most. `end` takes it away. */
export function drawProgress(stream: NodeJS.WriteStream, now: () => number) {
  const began = now();
  let drawnAt = Number.NEGATIVE_INFINITY;
  let first: number | null = null;
  return {
    draw: (view: ProgressView): void => {
      // What an earlier process has read says nothing of how fast this one is.
      first ??= view.rows;
      if (now() - drawnAt < 200) return;
      drawnAt = now();
      const line = progressLine(view, now() - began, Math.max(20, (stream.columns ?? 80) - 1), first);
      stream.write(`\r\u001b[2K${line}`);
    },
    end: (): void => {
      if (drawnAt !== Number.NEGATIVE_INFINITY) stream.write('\r\u001b[2K');
    },
  };
}
