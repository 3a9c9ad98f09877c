import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {connect, type Socket} from 'node:net';
import {eventually} from '../../servers/embedded.ts';

/** A server that is frozen and has no room left for callers: whoever connects now gets no answer at all, as from a machine that drops packets. */
export type Crowd = {
  readonly port: number;
  /** Thaws it, and answers with everything that it was asked until it answered one more request. */
  heardAfterwards(place: {readonly url: string}): Promise<readonly string[]>;
  end(): void;
};

const SERVER = `
  const server = require('node:http').createServer((request, response) => {
    process.stdout.write(request.method + ' ' + request.url + '\\n');
    response.end('{}');
  });
  server.listen({port: 0, host: '127.0.0.1', backlog: 1}, () => process.stdout.write(server.address().port + '\\n'));
`;
/** More than the kernel keeps for a backlog of 1. */
const CALLERS = 4;
/** A connection is tried again 1 s and 3 s after the first try. */
const RETRIED_MS = 3500;

export async function crowded(): Promise<Crowd> {
  const child = spawn(process.execPath, ['-e', SERVER], {stdio: ['ignore', 'pipe', 'inherit']});
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  const lines = (): readonly string[] => said.split('\n').filter((line) => line !== '');
  const port = Number(lines()[0]);
  child.kill('SIGSTOP');
  const callers: Socket[] = Array.from({length: CALLERS}, () => connect(port, '127.0.0.1').on('error', () => undefined));
  await new Promise((resolve) => setTimeout(resolve, 100));
  return {
    port,
    heardAfterwards: async ({url}) => {
      child.kill('SIGCONT');
      for (const caller of callers) caller.destroy();
      await new Promise((resolve) => setTimeout(resolve, RETRIED_MS));
      await (await fetch(`${url}/alive`)).text();
      return eventually(() => (lines().includes('GET /alive') ? lines().slice(1) : null));
    },
    end: () => {
      child.kill('SIGKILL');
      for (const caller of callers) caller.destroy();
    },
  };
}
