import {type ChildProcess, spawn, spawnSync} from 'node:child_process';
import {join} from 'node:path';
import {expect} from 'vitest';
import {screenOf} from '../../scripts/screen.ts';
import {BIN, personalEnv} from './program.ts';

const HELPER = join(import.meta.dirname, 'pty.py');
const ESC = '\u001B';

/** Why there is no pseudo-terminal here, or null. */
export function noTerminal(): string | null {
  const {status} = spawnSync('python3', ['-c', 'import pty, termios, fcntl'], {stdio: 'ignore'});
  return status === 0 ? null : 'this machine has no python3, which opens the pseudo-terminal of these tests';
}

/** How a program ended in a terminal. `restored`: line editing and echo are as they were before. */
export type Left = {readonly status: number | null; readonly signal: number | null; readonly restored: boolean; readonly output: string};

type Size = {readonly columns: number; readonly rows?: number; readonly env?: NodeJS.ProcessEnv; readonly cwd?: string};

/** regionctl (or another program) in a pseudo-terminal. */
export class Terminal {
  readonly columns: number;
  output = '';
  readonly #helper: ChildProcess;
  #notes = '';
  readonly #ended: Promise<Left>;

  constructor(args: readonly string[], {columns, rows = 24, env = {}, cwd}: Size, program = BIN) {
    this.columns = columns;
    this.#helper = spawn('python3', [HELPER, `${columns}`, `${rows}`, program, ...args], {
      ...(cwd === undefined ? {} : {cwd}),
      env: personalEnv({TERM: 'xterm-256color', ...env}),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#helper.stdout?.setEncoding('utf8').on('data', (chunk: string) => (this.output += chunk));
    this.#helper.stderr?.setEncoding('utf8').on('data', (chunk: string) => (this.#notes += chunk));
    this.#ended = new Promise((resolve) => this.#helper.on('close', () => resolve(this.#left())));
  }

  /** Presses keys. */
  type(text: string): void {
    this.#helper.stdin?.write(text);
  }

  /** Gives the window another size. */
  resize(columns: number, rows: number): void {
    this.#helper.stdin?.write(`\0RESIZE ${columns} ${rows}\n`);
  }

  /** Sends a signal to the program itself. */
  signal(name: NodeJS.Signals): void {
    process.kill(Number(/"pid": (\d+)/.exec(this.#notes)?.[1]), name);
  }

  /** Until `text` has been written, or the deadline is over. */
  sees(text: string | RegExp, deadlineMs?: number): Promise<void> {
    return this.when(
      () => (typeof text === 'string' ? this.output.includes(text) : text.test(this.output)),
      `"${text}" was not shown`,
      deadlineMs,
    );
  }

  /** Until something holds of what has been written, or the deadline is over. */
  async when(holds: () => boolean, otherwise = 'it did not come to that', deadlineMs = 20_000): Promise<void> {
    const end = Date.now() + deadlineMs;
    while (!holds()) {
      if (Date.now() > end || this.#helper.exitCode !== null)
        throw new Error(`${otherwise}:\n${linesOf(this.output).join('\n')}\n${this.#notes}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  ended = (): Promise<Left> => this.#ended;

  /** Ends the program, whatever it does. For the end of a test that failed. */
  close(): void {
    if (this.#helper.exitCode === null) this.#helper.kill('SIGTERM');
  }

  #left(): Left {
    const last = this.#notes.trim().split('\n').at(-1) ?? '';
    const {returncode, restored} = JSON.parse(last) as {returncode: number; restored: boolean};
    return {status: returncode >= 0 ? returncode : null, signal: returncode < 0 ? -returncode : null, restored, output: this.output};
  }
}

/** The lines that the terminal shows after all that was written; nothing is wrapped, so that lines which are too long are seen. */
export function linesOf(output: string, until?: string): readonly string[] {
  return screenOf(output, until).map((runs) => {
    let line = '';
    for (const {text, at} of runs) line = line.padEnd(at) + text;
    return line.trimEnd();
  });
}

/** Everything that was ever written, without escape sequences: no frame of a live view is left out. */
export function everyLine(output: string): readonly string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is taken out
  return output.replaceAll(/\u001B\[[0-9;:?]*[A-Za-z]|\u001B\][^\u0007]*\u0007/gu, '').split(/\r?\n|\r/u);
}

/** Whether the cursor is visible at the end, and the main screen is back. */
export function terminalSane(output: string): boolean {
  return (
    output.lastIndexOf(`${ESC}[?25l`) <= output.lastIndexOf(`${ESC}[?25h`) &&
    output.lastIndexOf(`${ESC}[?1049h`) <= output.lastIndexOf(`${ESC}[?1049l`)
  );
}

/** Holds when a program has given its terminal back as it was, and has never written a line that is wider than it. */
export function expectCleanTerminal(left: Left, columns: number): void {
  expect(left.restored, `echo and line editing must be back\n${left.output.slice(-500)}`).toBe(true);
  expect(terminalSane(left.output), JSON.stringify(left.output.slice(-200))).toBe(true);
  // A terminal that echoes shows the key itself, too.
  for (const line of everyLine(left.output.replaceAll('^C', '')))
    expect(line.length, `${columns} columns: ${line}`).toBeLessThanOrEqual(columns);
}
