import {randomInt} from 'node:crypto';
import {createServer, type Server} from 'node:net';

/** The ports that the lab uses: below the range from which the kernel hands out ports to clients. Inclusive. */
export const LAB_PORTS = {first: 20_000, last: 31_999} as const;

/** Hands out ports of a range, each once, beginning at a random place so that two labs rarely try the same. */
export class PortPicker {
  readonly #first: number;
  readonly #count: number;
  #next: number;
  #left: number;

  constructor(range: {first: number; last: number} = LAB_PORTS, start?: number) {
    this.#first = range.first;
    this.#count = range.last - range.first + 1;
    this.#left = this.#count;
    this.#next = start ?? range.first + randomInt(this.#count);
  }

  /** Binds `server` to the next port of 127.0.0.1 that is free and answers it. Throws when the whole range is taken. */
  async listen(server: Server): Promise<number> {
    for (;;) {
      const port = this.#take();
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

  #take(): number {
    if (this.#left === 0) throw new Error(`no free port on 127.0.0.1 from ${this.#first} to ${this.#first + this.#count - 1}`);
    const port = this.#next;
    this.#left -= 1;
    this.#next = this.#first + ((port - this.#first + 1) % this.#count);
    return port;
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
