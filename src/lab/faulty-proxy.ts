import {createServer, type Server, Socket} from 'node:net';
import {Lane, type LaneShape} from './lane.ts';
import type {PortPicker} from './ports.ts';

/** How a path behaves: `up` carries what the client sends, `down` what the server answers. */
export type PathShape = {
  /** Both ways, or one: `up` = what the client sends is lost, `down` = what the server answers. No new connection is made through any of them. */
  readonly blackHole: boolean | 'up' | 'down';
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
  #shape: PathShape;
  /** A side that closed while its lane was held: the other must not hear of it before that lane is open again, nor of what it sent before. */
  readonly #gone = {client: false, server: false};

  constructor(client: Socket, target: number, shape: PathShape, onClosed: () => void) {
    this.#client = client;
    this.#target = target;
    this.#shape = shape;
    this.#dial();
    this.#up = new Lane(client, this.#server, this.#laneShape('up'));
    this.#down = new Lane(this.#server, client, this.#laneShape('down'));
    let open = 2;
    for (const side of ['client', 'server'] as const) {
      const socket = side === 'client' ? client : this.#server;
      socket.on('error', () => this.#broken(side));
      socket.on('end', () => this.#note(side));
      socket.on('close', () => {
        this.#note(side);
        open -= 1;
        if (open === 0) onClosed();
      });
    }
  }

  reshape(shape: PathShape): void {
    this.#shape = shape;
    if (shape.blackHole === false && (this.#gone.client || this.#gone.server)) {
      this.destroy();
      return;
    }
    if (this.#gone.client && !this.#isHeld('up')) drop(this.#up, this.#server);
    if (this.#gone.server && !this.#isHeld('down')) drop(this.#down, this.#client);
    this.#dial(); // First: nothing can be written into a connection that was not begun.
    this.#up.reshape(this.#laneShape('up'));
    this.#down.reshape(this.#laneShape('down'));
  }

  destroy(): void {
    drop(this.#up, this.#client);
    drop(this.#down, this.#server);
  }

  /** A hole does not connect, not even one of one way: either the SYN is lost or its answer is. The client waits until the heal. */
  #dial(): void {
    if (this.#dialled || this.#shape.blackHole !== false) return;
    this.#dialled = true;
    this.#server.setNoDelay(true);
    this.#server.connect({port: this.#target, host: '127.0.0.1'});
  }

  #broken(side: Side): void {
    if (this.#isHeld(laneOf(side))) this.#gone[side] = true;
    else reset(side === 'client' ? this.#server : this.#client);
  }

  #note(side: Side): void {
    if (this.#isHeld(laneOf(side))) this.#gone[side] = true;
  }

  #isHeld(lane: 'up' | 'down'): boolean {
    return !this.#dialled || this.#shape.blackHole === true || this.#shape.blackHole === lane;
  }

  #laneShape(lane: 'up' | 'down'): LaneShape {
    const {latencyMs, jitterMs, upBytesPerSecond, downBytesPerSecond} = this.#shape;
    return {held: this.#isHeld(lane), latencyMs, jitterMs, bytesPerSecond: lane === 'up' ? upBytesPerSecond : downBytesPerSecond};
  }
}

type Side = 'client' | 'server';

const laneOf = (side: Side) => (side === 'client' ? 'up' : 'down');

/** What is on the lane is not delivered any more, and the socket at its end fails. */
function drop(lane: Lane, socket: Socket): void {
  lane.close();
  reset(socket);
}

/** A reset where the connection stands, so that the other end fails at once instead of waiting. */
function reset(socket: Socket): void {
  if (socket.destroyed) return;
  if (socket.readyState === 'open' || socket.readyState === 'readOnly' || socket.readyState === 'writeOnly') socket.resetAndDestroy();
  else socket.destroy();
}
