import type {ClientRequest} from 'node:http';
import type {Socket} from 'node:net';

/** How long each part of a request took, in ms; null = there was no such part. `firstByteMs` is the wait for the answer once the request could be sent. */
export type Phases = {
  readonly dnsMs: number | null;
  readonly connectMs: number | null;
  readonly tlsMs: number | null;
  readonly firstByteMs: number;
};

/** Watches a request that has just been made. The result is asked for when its answer has begun. */
export function phasesOf(call: ClientRequest): () => Phases {
  const began = performance.now();
  const at: {lookup?: number; connect?: number; secure?: number; answered?: number} = {};
  call.once('socket', (socket: Socket) => {
    socket.once('lookup', () => {
      at.lookup = performance.now();
    });
    socket.once('connect', () => {
      at.connect = performance.now();
    });
    socket.once('secureConnect', () => {
      at.secure = performance.now();
    });
  });
  call.once('response', () => {
    at.answered = performance.now();
  });
  return () => {
    const between = (from: number | undefined, to: number | undefined): number | null =>
      from === undefined || to === undefined ? null : to - from;
    const ready = at.secure ?? at.connect ?? began;
    return {
      dnsMs: between(began, at.lookup),
      connectMs: between(at.lookup ?? began, at.connect),
      tlsMs: between(at.connect, at.secure),
      firstByteMs: (at.answered ?? performance.now()) - ready,
    };
  };
}
