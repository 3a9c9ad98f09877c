import {randomInt} from 'node:crypto';
import {createServer, type Server} from 'node:net';

/** The ports that the lab uses: below the range from which the kernel hands out ports to clients. Inclusive. */
export const LAB_PORTS = {first: 20_000, last: 31_999} as const;

/** Ports that a lab has to itself: a lab of three regions takes about 30. */
export const BLOCK = 64;

/**
 * Hands out ports of a range, each once, by blocks of 64 that no other picker of this machine uses for as long as this process lives: a region that was
 * lost must find its ports free when it is to come back. The first port of a block is what holds it.
 */
export class PortPicker {
  readonly #range: {readonly first: number; readonly last: number};
  /** First ports of the blocks that were not tried yet. */
  readonly #blocks: number[];
  #next = 0;
  #end = 0;

  constructor(range: {readonly first: number; readonly last: number} = LAB_PORTS) {
    this.#range = range;
    this.#blocks = Array.from({length: Math.ceil((range.last - range.first + 1) / BLOCK)}, (_, index) => range.first + index * BLOCK);
  }

  /** Binds `server` to the next port of 127.0.0.1 that is free and answers it. Throws when the whole range is taken. */
  async listen(server: Server): Promise<number> {
    for (;;) {
      const port = await this.#take();
      if (await bind(server, port)) return port;
    }
  }

  /** A port that was free a moment ago, for a process that binds it itself: it may lose it and must then take another. */
  async free(): Promise<number> {
    const server = createServer();
    const port = await this.listen(server);
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  async #take(): Promise<number> {
    while (this.#next >= this.#end) await this.#hold();
    return this.#next++;
  }

  /** Beginning at a random place, so that two labs rarely try the same. */
  async #hold(): Promise<void> {
    const {first, last} = this.#range;
    const [block] = this.#blocks.splice(this.#blocks.length === 0 ? 0 : randomInt(this.#blocks.length), 1);
    if (block === undefined) throw new Error(`no free port on 127.0.0.1 from ${first} to ${last}`);
    const guard = createServer((socket) => socket.destroy());
    if (!(await bind(guard, block))) return;
    guard.unref();
    this.#next = block + 1;
    this.#end = Math.min(block + BLOCK, last + 1);
  }
}

/** Binds `server` to a port of 127.0.0.1. True = bound; false = the port is taken or not allowed. */
export function bind(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const settle = (error?: NodeJS.ErrnoException) => {
      server.removeListener('error', settle);
      server.removeListener('listening', settle);
      if (error === undefined) resolve(true);
      else if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    };
    server.once('error', settle);
    server.once('listening', settle);
    server.listen({port, host: '127.0.0.1', exclusive: true});
  });
}
