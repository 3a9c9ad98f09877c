import {Agent, request} from 'node:http';

/** What an open-loop writer saw. Times are performance.now(). */
export type Written = {
  readonly acknowledged: ReadonlyMap<string, number>;
  stop(): Promise<void>;
  firstAckAfter(at: number): Promise<number>;
};

/** Writes a numbered order every `everyMs` through the front door, whatever is outstanding, each with a deadline of 2 s. */
export function startWriter(frontDoor: string, run: string, everyMs: number): Written {
  const agent = new Agent({keepAlive: true, maxSockets: Number.POSITIVE_INFINITY});
  const acknowledged = new Map<string, number>();
  const waiting: {after: number; resolve: (at: number) => void}[] = [];
  let n = 0;
  const timer = setInterval(() => send(`${run}-${n++}`), everyMs);
  function send(ref: string): void {
    const body = JSON.stringify({ref, item: 'bench', quantity: 1});
    const headers = {'content-type': 'application/json', 'content-length': Buffer.byteLength(body)};
    const call = request(`${frontDoor}/orders`, {method: 'POST', agent, headers, timeout: 2000}, (response) => {
      response.resume();
      if (response.statusCode === 201) acknowledge(ref);
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => {});
    call.end(body);
  }
  function acknowledge(ref: string): void {
    const at = performance.now();
    acknowledged.set(ref, at);
    for (const [index, {after, resolve}] of [...waiting.entries()].reverse()) {
      if (at < after) continue;
      waiting.splice(index, 1);
      resolve(at);
    }
  }
  return {
    acknowledged,
    firstAckAfter: (after) => new Promise((resolve) => waiting.push({after, resolve})),
    stop: async () => {
      clearInterval(timer);
      await new Promise((resolve) => setTimeout(resolve, 300));
      agent.destroy();
    },
  };
}
