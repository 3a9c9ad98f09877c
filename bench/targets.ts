// A process with so many HTTP endpoints, some of which never answer. Prints their ports as JSON, on each line of its input how many requests it has answered, and ends with its parent.
import {createServer, type Socket} from 'node:net';

const [good = 0, hanging = 0] = process.argv.slice(2).map(Number);
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok';
const ports: number[] = [];
let answered = 0;
for (let each = 0; each < good + hanging; each += 1) {
  const answers = each < good;
  const server = createServer((socket: Socket) => {
    socket.on('error', () => undefined);
    if (answers)
      socket.once('data', () => {
        answered += 1;
        socket.end(ANSWER);
      });
  });
  await new Promise<void>((resolve) => server.listen({port: 0, host: '127.0.0.1', backlog: 512}, resolve));
  const address = server.address();
  if (typeof address === 'object' && address !== null) ports.push(address.port);
}
process.stdout.write(`${JSON.stringify(ports)}\n`);
process.stdin.on('data', () => process.stdout.write(`${answered}\n`)).on('end', () => process.exit());
