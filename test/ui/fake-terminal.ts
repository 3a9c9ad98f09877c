import {EventEmitter} from 'node:events';

/** A terminal of a given size that keeps what Ink writes. With `debug` rendering each write is one whole frame. */
export class FakeTerminal extends EventEmitter {
  readonly isTTY = true;
  columns: number;
  rows: number;
  readonly frames: string[] = [];

  constructor(columns: number, rows: number) {
    super();
    this.columns = columns;
    this.rows = rows;
  }

  /** Ink writes empty text to learn when the stream was flushed: that is no frame. */
  write(text: string, encodingOrDone?: unknown, done?: () => void): boolean {
    if (text !== '') this.frames.push(text);
    if (typeof encodingOrDone === 'function') encodingOrDone();
    done?.();
    return true;
  }

  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    this.emit('resize');
  }

  lastFrame(): string {
    return this.frames.at(-1) ?? '';
  }
}

/** Keys for a view: raw mode is there, and `press` gives text as a terminal does. */
export class FakeKeyboard extends EventEmitter {
  readonly isTTY = true;
  private pending: string | null = null;

  press(text: string): void {
    this.pending = text;
    this.emit('readable');
    this.emit('data', text);
  }

  read(): string | null {
    const text = this.pending;
    this.pending = null;
    return text;
  }

  setRawMode(): this {
    return this;
  }
  setEncoding(): void {}
  resume(): this {
    return this;
  }
  pause(): this {
    return this;
  }
  ref(): void {}
  unref(): void {}
}
