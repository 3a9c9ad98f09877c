import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {StringDecoder} from 'node:string_decoder';
import {REGIONCTL, ROOT} from './lab.ts';
import {TerminalScreen, type Touched} from './terminal-screen.ts';

/** One frame, as it is marked for the terminal to show at once. `atMs` is when its last byte was read, on the clock of `nowMs`. */
export type Frame = Touched & {readonly atMs: number; readonly bytes: number};

type Size = {readonly columns: number; readonly rows: number; readonly env?: NodeJS.ProcessEnv};

const [BEGIN, END] = ['\u001B[?2026h', '\u001B[?2026l'];

/** The clock that processes of one machine have in common, in ms. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** The environment of a person: what CI and other tools set would change what is drawn. */
export function personalEnv(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const without = /^(CI$|CONTINUOUS|BUILD_|NODE_ENV$|NODE_OPTIONS$|NO_COLOR$|FORCE_COLOR$|INK_|REGIONCTL|DEBUG$|COLUMNS$|LINES$)/;
  return {...Object.fromEntries(Object.entries(process.env).filter(([name]) => !without.test(name))), TERM: 'xterm-256color', ...more};
}

/** regionctl in a pseudo-terminal, read frame by frame. */
export class PseudoTerminal {
  readonly pid: number;
  /** When the program was started, on the clock of `nowMs`. */
  readonly startedMs: number;
  readonly size: Size;
  /** The frames since the last `forget`. */
  readonly frames: Frame[] = [];
  /** All that was written, in frames or not. */
  bytes = 0;
  readonly screen: TerminalScreen;
  readonly #helper: ChildProcess;
  #pending = '';
  #look: (frame: Frame) => void = () => undefined;

  private constructor(helper: ChildProcess, {pid, startedMs, size}: {pid: number; startedMs: number; size: Size}) {
    [this.pid, this.startedMs, this.size] = [pid, startedMs, size];
    this.screen = new TerminalScreen(size.rows);
    this.#helper = helper;
    const decoder = new StringDecoder('utf8');
    helper.stdout?.on('data', (chunk: Buffer) => this.#read(chunk, decoder));
  }

  /** Started in a session of its own: Ctrl+C for the bench is not for it. */
  static async start(args: readonly string[], size: Size): Promise<PseudoTerminal> {
    const helper = spawn('python3', [join(ROOT, 'test/cli/pty.py'), `${size.columns}`, `${size.rows}`, REGIONCTL, ...args], {
      ...{env: personalEnv(size.env), stdio: ['pipe', 'pipe', 'pipe'], detached: true},
    });
    if (helper.stderr === null) throw new Error('unreachable: stderr is a pipe');
    const notes = createInterface(helper.stderr);
    const gone = once(helper, 'close').then(() => ['']);
    const [note] = (await Promise.race([once(notes, 'line'), gone])) as [string];
    if (!note.startsWith('{')) throw new Error(`python3 opens no pseudo-terminal here: ${note || 'it ended'}`);
    notes.on('line', () => undefined);
    const {pid, at} = JSON.parse(note) as {pid: number; at: number};
    return new PseudoTerminal(helper, {pid, startedMs: at * 1000, size});
  }

  type(keys: string): void {
    this.#helper.stdin?.write(keys);
  }

  forget(): void {
    this.frames.length = 0;
  }

  /** The first frame from now on at the end of which something holds of the screen. */
  async frameWhere(holds: (screen: TerminalScreen) => boolean, what: string, deadlineMs = 20_000): Promise<Frame> {
    const {promise, resolve, reject} = Promise.withResolvers<Frame>();
    const fail = (why: string): void => reject(new Error(`${why}: not seen: ${what}\n${this.screen.lines().join('\n')}`));
    const timer = setTimeout(() => fail(`after ${deadlineMs} ms`), deadlineMs);
    const ended = (): void => fail('the program ended');
    this.#helper.once('close', ended);
    this.#look = (frame) => {
      if (holds(this.screen)) resolve(frame);
    };
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#helper.off('close', ended);
      this.#look = () => undefined;
    }
  }

  /** Ends it as a person does. */
  async quit(): Promise<void> {
    const closed = once(this.#helper, 'close');
    this.type('q');
    const timer = setTimeout(() => this.stop(), 10_000);
    await closed;
    clearTimeout(timer);
  }

  /** Ends the program at once, whatever it does. */
  stop(): void {
    if (this.#helper.exitCode === null) this.#helper.kill('SIGTERM');
  }

  #read(chunk: Buffer, decoder: StringDecoder): void {
    this.bytes += chunk.length;
    this.#pending += decoder.write(chunk);
    const atMs = nowMs();
    for (let end = this.#pending.indexOf(END); end >= 0; end = this.#pending.indexOf(END)) {
      const upTo = this.#pending.slice(0, end + END.length);
      this.#pending = this.#pending.slice(end + END.length);
      // What stands before the frame (another screen, a hidden cursor) is none of it, but is on the screen.
      const begin = Math.max(0, upTo.lastIndexOf(BEGIN));
      this.screen.write(upTo.slice(0, begin));
      const frame = upTo.slice(begin);
      const seen = {...this.screen.write(frame), bytes: Buffer.byteLength(frame), atMs};
      this.frames.push(seen);
      this.#look(seen);
    }
  }
}
