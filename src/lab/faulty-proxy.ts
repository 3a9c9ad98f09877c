import {createServer, type Server, Socket} from 'node:net';
import {Lane, type LaneShape} from './lane.ts';
import type {PortPicker} from './ports.ts';

/** How a path behaves: `up` carries what the client sends, `down` what the server answers. */
export type PathShape = {
  readonly blackHole: boolean;
  /** One way, in ms; both directions. */
  readonly latencyMs: number;
  /** Up to this much more, at random. */
  readonly jitterMs: number;
  readonly upBytesPerSecond: number | null;
  readonly downBytesPerSecond: number | null;
};

/** A path without any fault. */
export const CLEAR: PathShape = {blackHole: false, latencyMs: 0, jitterMs: 0, upBytesPerSecond: null, downBytesPerSecond: null};

/** A TCP proxy on 127.0.0.1 that can delay, throttle or swallow what passes. A server that refuses gives the client a reset at once. */
export class FaultyProxy {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #shape: PathShape = CLEAR;
  /** Port on 127.0.0.1 that it leads to; 0 = nothing there yet. */
  target: number;

  constructor(target = 0) {
    this.target = target;
    this.#server = createServer({allowHalfOpen: true, noDelay: true}, (client) => this.#accept(client));
    // Such as too many open files: the connection is lost, the lab is not.
    this.#server.on('error', () => undefined);
  }

  listen(ports: PortPicker): Promise<number> {
    return ports.listen(this.#server);
  }

  get shape(): PathShape {
    return this.#shape;
  }

  reshape(shape: PathShape): void {
    this.#shape = shape;
    for (const pair of this.#pairs) pair.reshape(shape);
  }

  /** Ends every connection and gives the port back. */
  async close(): Promise<void> {
    for (const pair of this.#pairs) pair.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    const pair: Pair = new Pair(client, this.target, this.#shape, () => this.#pairs.delete(pair));
    this.#pairs.add(pair);
  }
}

/** A client's connection and the one to the server that belongs to it. */
class Pair {
  readonly #client: Socket;
  readonly #server = new Socket({allowHalfOpen: true});
  readonly #up: Lane;
  readonly #down: Lane;
  readonly #target: number;
  #dialled = false;
  #held: boolean;
  /** A side that closed during a black hole: the other must not hear of it before the heal, and then the pair is of no use. */
  #dead = false;

  constructor(client: Socket, target: number, shape: PathShape, onClosed: () => void) {
    this.#client = client;
    this.#target = target;
    this.#held = shape.blackHole;
    this.#up = new Lane(client, this.#server, laneShape(shape, 'up'));
    this.#down = new Lane(this.#server, client, laneShape(shape, 'down'));
    let open = 2;
    for (const [socket, other] of [
      [client, this.#server],
      [this.#server, client],
    ] as const) {
      socket.on('error', () => this.#broken(other));
      socket.on('end', () => this.#note());
      socket.on('close', () => {
        this.#note();
        open -= 1;
        if (open === 0) onClosed();
      });
    }
    this.#dial();
  }

  reshape(shape: PathShape): void {
    this.#held = shape.blackHole;
    if (!this.#held && this.#dead) {
      this.destroy();
      return;
    }
    this.#dial(); // First: nothing can be written into a connection that was not begun.
    this.#up.reshape(laneShape(shape, 'up'));
    this.#down.reshape(laneShape(shape, 'down'));
  }

  destroy(): void {
    this.#up.close();
    this.#down.close();
    reset(this.#client);
    reset(this.#server);
  }

  /** A black hole does not connect either; the client waits until the heal. */
  #dial(): void {
    if (this.#dialled || this.#held) return;
    this.#dialled = true;
    this.#server.setNoDelay(true);
    this.#server.connect({port: this.#target, host: '127.0.0.1'});
  }

  #broken(other: Socket): void {
    if (this.#held) this.#dead = true;
    else reset(other);
  }

  #note(): void {
    if (this.#held) this.#dead = true;
  }
}

function laneShape(shape: PathShape, direction: 'up' | 'down'): LaneShape {
  const {blackHole: held, latencyMs, jitterMs} = shape;
  return {held, latencyMs, jitterMs, bytesPerSecond: direction === 'up' ? shape.upBytesPerSecond : shape.downBytesPerSecond};
}

/** A reset where the connection stands, so that the other end fails at once instead of waiting. */
function reset(socket: Socket): void {
  if (socket.destroyed) return;
  if (socket.readyState === 'open' || socket.readyState === 'readOnly' || socket.readyState === 'writeOnly') socket.resetAndDestroy();
  else socket.destroy();
}
