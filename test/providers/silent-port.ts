import {once} from 'node:events';
import {connect, type Socket} from 'node:net';
import {Worker} from 'node:worker_threads';

/** A port where a connection is never accepted: its queue is full and nobody takes from it. */
export type SilentPort = {readonly port: number; close(): Promise<void>};

/** Listens in a thread that then stands still, and fills the queue of the kernel. */
export async function silentPort(): Promise<SilentPort> {
  const worker = new Worker(
    `const {parentPort} = require('node:worker_threads');
     const server = require('node:net').createServer().listen({port: 0, host: '127.0.0.1', backlog: 1}, () => {
       parentPort.postMessage(server.address().port);
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
     });`,
    {eval: true},
  );
  const [port] = (await once(worker, 'message')) as [number];
  const queue = await fillQueue(port);
  return {
    port,
    close: async () => {
      for (const socket of queue) socket.destroy();
      await worker.terminate();
    },
  };
}

/** Connects until one attempt stays unanswered. */
async function fillQueue(port: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (;;) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    sockets.push(socket);
    const taken = await once(socket, 'connect', {signal: AbortSignal.timeout(100)}).then(
      () => true,
      () => false,
    );
    if (!taken) return sockets;
  }
}
