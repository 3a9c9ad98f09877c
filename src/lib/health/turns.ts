import {setImmediate as nextTurn} from 'node:timers/promises';

/** Lets so many begin in one turn of the event loop, first come first served: what came in meanwhile is read before the next ones begin. */
export type Turns = {take(): Promise<void>};

export function createTurns(most: number): Turns {
  let begun = 0;
  let waiting: (() => void)[] = [];
  let isScheduled = false;
  const schedule = (): void => {
    if (isScheduled) return;
    isScheduled = true;
    void nextTurn().then(release);
  };
  const release = (): void => {
    isScheduled = false;
    const next = waiting.slice(0, most);
    waiting = waiting.slice(most);
    begun = next.length;
    for (const begin of next) begin();
    if (begun > 0) schedule();
  };
  return {
    take: async () => {
      schedule();
      if (begun < most && waiting.length === 0) begun += 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}
