import type {Socket} from 'node:net';

/** How long each part of a request took, in ms; null = there was no such part. `firstByteMs` is the wait for the answer once the request could be sent. */
export type Phases = {
  readonly dnsMs: number | null;
  readonly connectMs: number | null;
  readonly tlsMs: number | null;
  readonly firstByteMs: number;
};

/** Watches a connection that has just been begun, and is told when the answer has. `read` is for after that. */
export type PhaseMarks = {
  /** `secured`: it is encrypted before the request can be sent. */
  watch(socket: Socket, secured: boolean): void;
  readonly answered: () => void;
  readonly read: () => Phases;
  readonly connected: () => boolean;
};

/** The request begins now. */
export function phaseMarks(): PhaseMarks {
  const began = performance.now();
  const at: {lookup?: number; connect?: number; secure?: number; answered?: number} = {};
  return {
    watch: (socket, secured) => {
      socket.once('lookup', () => {
        at.lookup = performance.now();
      });
      socket.once('connect', () => {
        at.connect = performance.now();
      });
      if (!secured) return;
      socket.once('secureConnect', () => {
        at.secure = performance.now();
      });
    },
    answered: () => {
      at.answered = performance.now();
    },
    connected: () => at.connect !== undefined,
    read: () => {
      const between = (from: number | undefined, to: number | undefined): number | null =>
        from === undefined || to === undefined ? null : to - from;
      const ready = at.secure ?? at.connect ?? began;
      return {
        dnsMs: between(began, at.lookup),
        connectMs: between(at.lookup ?? began, at.connect),
        tlsMs: between(at.connect, at.secure),
        firstByteMs: (at.answered ?? performance.now()) - ready,
      };
    },
  };
}
