import type {Socket} from 'node:net';
import {isDeepStrictEqual} from 'node:util';

/** How one direction of a connection behaves. `bytesPerSecond` null = unlimited. `held` = nothing passes and nothing is refused. */
export type LaneShape = {
  readonly held: boolean;
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly bytesPerSecond: number | null;
};

/** Above this a lane stops reading; what comes further waits in the sender, as on a full line. */
const QUEUE_LIMIT = 256 * 1024;

/** One piece on its way; `chunk` null = the sender has ended. */
type Piece = {due: number; readonly chunk: Buffer | null};

/** Carries what `from` sends to `to`, in order, as late and as slowly as its shape says. */
export class Lane {
  readonly #from: Socket;
  readonly #to: Socket;
  #shape: LaneShape;
  #queue: Piece[] = [];
  #queued = 0;
  #lineFreeAt = 0;
  #lastDue = 0;
  #timer: NodeJS.Timeout | null = null;
  #full = false;

  constructor(from: Socket, to: Socket, shape: LaneShape) {
    this.#from = from;
    this.#to = to;
    this.#shape = shape;
    from.on('data', (chunk: Buffer) => this.#take(chunk));
    from.on('end', () => this.#enqueue(null));
    to.on('drain', () => {
      this.#full = false;
      this.#flush();
    });
  }

  /** Changes the behaviour for what is on its way too: what was delayed by a shape that is gone leaves at once, what waits for a line that is still slow waits on. */
  reshape(shape: LaneShape): void {
    const same = isDeepStrictEqual(shape, this.#shape);
    this.#shape = shape;
    // A fault elsewhere reshapes every path: it must not give this one's backlog free.
    if (!same) this.#reschedule(shape);
    this.#flush();
  }

  /** Drops what is on its way. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#queue = [];
  }

  #reschedule({latencyMs, bytesPerSecond}: LaneShape): void {
    let sentAt = performance.now();
    this.#lastDue = sentAt;
    for (const piece of this.#queue) {
      sentAt += sendingMs(piece.chunk, bytesPerSecond);
      piece.due = Math.max(this.#lastDue, Math.min(piece.due, sentAt + latencyMs));
      this.#lastDue = piece.due;
    }
    this.#lineFreeAt = sentAt;
  }

  #take(chunk: Buffer): void {
    const {held, latencyMs, jitterMs, bytesPerSecond} = this.#shape;
    const plain = !held && latencyMs === 0 && jitterMs === 0 && bytesPerSecond === null;
    if (plain && this.#queue.length === 0 && !this.#full) {
      this.#write(chunk);
      if (this.#full) this.#from.pause();
      return;
    }
    // Small pieces make a slow line flow instead of bursting: twenty a second.
    const step = bytesPerSecond === null ? chunk.length : Math.max(1024, Math.ceil(bytesPerSecond / 20));
    for (let at = 0; at < chunk.length; at += step) this.#enqueue(chunk.subarray(at, at + step));
  }

  #enqueue(chunk: Buffer | null): void {
    const {latencyMs, jitterMs, bytesPerSecond} = this.#shape;
    const size = chunk?.length ?? 0;
    const sentAt = Math.max(performance.now(), this.#lineFreeAt) + sendingMs(chunk, bytesPerSecond);
    this.#lineFreeAt = sentAt;
    const due = Math.max(this.#lastDue, sentAt + latencyMs + Math.random() * jitterMs);
    this.#lastDue = due;
    this.#queue.push({due, chunk});
    this.#queued += size;
    if (this.#queued > QUEUE_LIMIT) this.#from.pause();
    this.#flush();
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#shape.held) return;
    this.#deliver();
    const head = this.#queue[0];
    if (head !== undefined && !this.#full) this.#timer = setTimeout(() => this.#flush(), Math.max(0, head.due - performance.now()));
    if (!this.#full && this.#queued < QUEUE_LIMIT / 2 && this.#from.isPaused()) this.#from.resume();
  }

  #deliver(): void {
    const now = performance.now() + 0.5;
    for (let head = this.#queue[0]; head !== undefined && head.due <= now && !this.#full; head = this.#queue[0]) {
      this.#queue.shift();
      if (head.chunk === null) this.#to.end();
      else {
        this.#queued -= head.chunk.length;
        this.#write(head.chunk);
      }
    }
  }

  #write(chunk: Buffer): void {
    if (!this.#to.destroyed && !this.#to.write(chunk)) this.#full = true;
  }
}

function sendingMs(chunk: Buffer | null, bytesPerSecond: number | null): number {
  return bytesPerSecond === null ? 0 : ((chunk?.length ?? 0) / bytesPerSecond) * 1000;
}
