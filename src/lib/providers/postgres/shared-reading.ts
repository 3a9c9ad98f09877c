/**
 * One reading for all who ask before it has begun, which it does as soon as this turn of the program has nothing more to ask: what two want at once is read
 * once, and nobody gets an answer that is older than the question. It is given up when all who asked have given up; whoever gives up alone has the answer of the others.
 */
export function sharedReading<T>(read: (signal: AbortSignal) => Promise<T>): (signal: AbortSignal) => Promise<T> {
  let next: ((signal: AbortSignal) => Promise<T>) | null = null;
  const begin = () => {
    const own = new AbortController();
    const asking = new Map<AbortSignal, () => void>();
    const answer = Promise.resolve()
      .then(() => {
        if (next === join) next = null;
        return read(own.signal);
      })
      .finally(() => {
        for (const [signal, leave] of asking) signal.removeEventListener('abort', leave);
      });
    const join = (signal: AbortSignal): Promise<T> => {
      if (asking.has(signal)) return answer;
      const leave = (): void => {
        asking.delete(signal);
        if (asking.size > 0) return;
        own.abort(signal.reason);
        // Who asks now has not given up.
        if (next === join) next = null;
      };
      asking.set(signal, leave);
      if (signal.aborted) leave();
      else signal.addEventListener('abort', leave, {once: true});
      return answer;
    };
    return join;
  };
  return (signal) => {
    next ??= begin();
    return next(signal);
  };
}
