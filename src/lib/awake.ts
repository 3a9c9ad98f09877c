/** A timer that is this late was slept over; what was asked then gets this much more. */
const SLEPT_MS = 200;
/** How much longer an answer is waited for after a sleep, in ms: it may have come meanwhile and is read in a moment. */
export const GRACE_MS = 300;

/**
 * A timer that comes late tells that this process slept (stopped, or its machine was), not that the server did: the answer may have arrived
 * meanwhile and is read in a moment. Without this, whatever was asked when a process was stopped would fail when it goes on.
 */
export async function inTime<T>(answer: Promise<T>, ms: number): Promise<T> {
  let end = (): void => undefined;
  const late = new Promise<never>((_, reject) => {
    end = afterAwake(ms, () => reject(new Error('timeout expired')));
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    end();
  }
}

/** `AbortSignal.timeout`, with the same patience after a sleep. */
export function timeoutAwake(ms: number): AbortSignal {
  const over = new AbortController();
  afterAwake(ms, () => over.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')), true);
  return over.signal;
}

/**
 * An answer, or the reason of the signal as soon as it is aborted. For what does not heed its signal at once: undici hears of an abort only when it has a
 * connection, and tries for one for 10 s. A machine that drops packets, or a server that is frozen and has no room left for callers, would be waited
 * for that long. What was given up like this it does not send later.
 */
export function unlessAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, {once: true});
    void answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}

/** A signal that ends with another one or by a deadline. `end` is called when it is not needed any more: nothing is left behind then. */
export type Bounded = {readonly signal: AbortSignal; end(): void};

/** Like `AbortSignal.any` with `timeoutAwake`, at a third of the cost: for what is done thousands of times a second. */
export function bounded(outer: AbortSignal, ms: number): Bounded {
  const own = new AbortController();
  const cancel = (): void => own.abort(outer.reason);
  if (outer.aborted) {
    cancel();
    return {signal: own.signal, end: () => undefined};
  }
  outer.addEventListener('abort', cancel, {once: true});
  const callOff = afterAwake(ms, () => own.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')));
  return {
    signal: own.signal,
    end: () => {
      callOff();
      outer.removeEventListener('abort', cancel);
    },
  };
}

/** Does something with a signal that ends with `outer` or after `ms`. What is done is waited for, however long it takes. */
export async function within<T>(outer: AbortSignal, ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const {signal, end} = bounded(outer, ms);
  try {
    return await work(signal);
  } finally {
    end();
  }
}

/** Calls `then` after `ms`; answers with what calls it off. `idly`: it keeps no process alive. */
export function afterAwake(ms: number, then: () => void, idly = false): () => void {
  let timer: NodeJS.Timeout | undefined;
  const arm = (forMs: number): void => {
    const due = performance.now() + forMs;
    timer = setTimeout(() => (performance.now() - due > SLEPT_MS ? arm(GRACE_MS) : then()), forMs);
    if (idly) timer.unref();
  };
  arm(ms);
  return () => clearTimeout(timer);
}
