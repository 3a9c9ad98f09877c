// The peer of the dashboard's probing: asks each port of a JSON list on its input once a second with undici, a fresh connection each time, and does nothing else. Ends with its parent.
import {createInterface} from 'node:readline';
import {Agent, request} from 'undici';

const INTERVAL_MS = 1000;
const lines = createInterface(process.stdin);
const [line] = (await new Promise((resolve) => lines.once('line', (text) => resolve([text])))) as [string];
const ports = JSON.parse(line) as number[];
const dispatcher = new Agent({connect: {timeout: 1000}, pipelining: 0});

for (const [index, port] of ports.entries()) setTimeout(() => askAgain(port), (index / ports.length) * INTERVAL_MS);
lines.on('close', () => process.exit());

function askAgain(port: number): void {
  setInterval(() => void ask(port), INTERVAL_MS);
}

async function ask(port: number): Promise<void> {
  try {
    const {statusCode, body} = await request(`http://127.0.0.1:${port}/`, {
      dispatcher,
      reset: true,
      headersTimeout: 1000,
      bodyTimeout: 1000,
    });
    await body.dump();
    if (statusCode !== 200) process.exitCode = 1;
  } catch {
    process.exitCode = 1;
  }
}
